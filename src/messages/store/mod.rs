//! All SQL of the messages room.

mod accept;
mod activity;
mod batches;
mod dispatch;
mod due;
mod pairs;
mod read;
mod receipts;
mod row;
mod search;
mod traced;

pub use accept::*;
pub use activity::*;
pub use batches::*;
pub use dispatch::*;
pub use due::*;
pub use pairs::*;
pub use read::*;
pub use receipts::*;
pub use row::*;
pub use search::*;
pub use traced::*;
