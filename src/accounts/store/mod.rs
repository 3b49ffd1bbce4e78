//! The SQL of the accounts, a file a table.

pub(super) mod boosts;
pub(super) mod keys;
pub(super) mod operators;
pub(super) mod orgs;
pub(super) mod overrides;
pub(super) mod plans;
pub(super) mod spans;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A value as a JSON text column.
fn to_column(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// A value out of a JSON text column; one that cannot be read is a fault of ours, never an empty value.
fn from_column<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}
