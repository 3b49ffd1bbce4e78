//! All SQL of the activations room.

mod messages;
mod numbers;
mod rents;
mod services;
mod stock;

pub use messages::*;
pub use numbers::*;
pub use rents::*;
pub use services::*;
pub use stock::*;
