//! All SQL of the billing room.

mod invoices;
mod settings;
mod topups;

pub use invoices::*;
pub use settings::*;
pub use topups::*;
