//! All SQL of the messages room.

mod accept;
mod dispatch;
mod read;

pub use accept::*;
pub use dispatch::*;
pub use read::*;
