//! Verifications: the platform makes a code, sends it, and says whether what somebody typed is it.
//!
//! A code is derived from the server's key whenever it is needed and stored nowhere (`otp`). `send` is the one place
//! where a code goes out: `start`, `resend` and `workflow` call it, each in its own transaction.

mod body;
mod check;
pub mod conversion;
mod desk;
mod http;
mod new;
mod read;
mod resend;
mod send;
mod start;
mod state;
mod store;
mod summary;
mod told;
mod traced;
mod view;
mod workflow;

pub use http::{VerificationDocs, configure};
pub use state::{ResendPolicy, Status};
pub use store::purge as purge_verifications;
pub use store::{Row as VerificationRow, approvals, find_of_anybody};
pub use traced::{TracedVerification, started_by, trace_verification};
pub use workflow::run_workflow_steps;
