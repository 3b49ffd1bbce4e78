//! How well a route is: its errors and the receipts that do not come. A carrier may be well as a whole (its own circuit,
//! `providers::circuit`, is about that) and sick for one country. Pure: `now` is given.

mod gate;
mod habit;

pub use gate::{Change, Health, Reason, Standing};
pub use habit::{PATIENCE, Seen};

#[cfg(test)]
mod tests;
