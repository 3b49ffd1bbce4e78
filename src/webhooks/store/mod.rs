//! All SQL of the room.

mod deliveries;
mod endpoints;
mod events;

pub use deliveries::*;
pub use endpoints::*;
pub use events::*;
