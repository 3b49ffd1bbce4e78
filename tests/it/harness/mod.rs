//! The test application and what stands around it: databases, carriers, receivers.

pub mod actor;
pub mod app;
pub mod backend;
pub mod fake_carrier;
mod fake_carrier_tests;
pub mod fake_smsc;
pub mod fake_smtp;
pub mod http_wire;
pub mod meta;
pub mod oracle;
pub mod postgres;
pub mod process;
mod receipts;
pub mod redis;
pub mod slow;
pub mod tmpfs;
pub mod town;
pub mod wait;

pub use backend::Backend;
