//! All SQL of the broadcasts room.

mod contacts;
mod purge;
mod row;
mod turns;

pub use contacts::*;
pub use purge::*;
pub use row::*;
pub use turns::*;
