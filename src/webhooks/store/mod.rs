//! All SQL of the room.

mod deliveries;
mod desk;
mod endpoints;
mod events;
mod listeners;
mod traced;

pub use deliveries::*;
pub use desk::*;
pub use endpoints::*;
pub use events::*;
pub use listeners::*;
pub use traced::*;
