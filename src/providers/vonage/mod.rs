//! Vonage: the SMS API and the Messages API, two products with two shapes.

mod messages;
mod sms;

pub use messages::VonageMessages;
pub use sms::VonageSms;
