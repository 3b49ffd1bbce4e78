//! All SQL of the messages room.

mod accept;
mod dispatch;
mod read;
mod row;

pub use accept::*;
pub use dispatch::*;
pub use read::*;
pub use row::*;
