//! All SQL of the billing room.

mod fees;
mod invoices;
mod settings;
mod topups;

pub use fees::*;
pub use invoices::*;
pub use settings::*;
pub use topups::*;
