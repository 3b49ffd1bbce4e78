//! All SQL of the verifications room.

mod change;
mod operators;
mod read;
mod row;

pub use change::*;
pub use operators::*;
pub use read::*;
pub use row::{Row, SendRow, Spec, StoredStep};
