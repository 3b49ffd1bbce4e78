//! All SQL of the messages room.

mod accept;
mod activity;
mod dispatch;
mod due;
mod read;
mod receipts;
mod row;

pub use accept::*;
pub use activity::*;
pub use dispatch::*;
pub use due::*;
pub use read::*;
pub use receipts::*;
pub use row::*;
