//! All SQL of the broadcasts room.

mod contacts;
mod row;
mod turns;

pub use contacts::*;
pub use row::*;
pub use turns::*;
