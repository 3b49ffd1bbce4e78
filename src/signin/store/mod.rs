//! The SQL of the door, a file a table.

pub(super) mod guesses;
pub(super) mod links;
pub(super) mod logins;
pub(super) mod sessions;
