//! All SQL of the room.

mod orders;
mod walk;

pub use orders::{Row, find_erasure, list_erasures};
pub(super) use orders::{claim, due, empty_log, insert, is_own, open_messages, save, to_json, user_ids};
pub(super) use walk::{Stretch, count, erase, stretch_end};
