//! The log of the API's requests: a line each as far as there is room, counts of all of them, and all that one request
//! left behind.
//!
//! Reading order: `line` (what is kept of a request), `book` (what waits to be written, pure), `log` (the book of this
//! process and its writer), `summary`, `story` (of one message), `trace`.

mod book;
mod line;
mod log;
mod store;
mod story;
mod summary;
mod trace;
mod view;

pub use log::{RequestLog, note, write_log};
pub use store::{Filter, find as find_request, list as list_requests, purge as purge_requests};
pub use story::{Known, TraceStep, timeline, told_of};
pub use summary::{RequestSummary, Window, summarize};
pub use trace::{RequestTrace, trace};
pub use view::RequestView;
