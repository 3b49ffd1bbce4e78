//! All SQL of the room.

mod deliveries;
mod desk;
mod endpoints;
mod events;
mod listeners;
mod told;

pub use deliveries::*;
pub use desk::*;
pub use endpoints::*;
pub use events::*;
pub use listeners::*;
pub use told::told_of;
