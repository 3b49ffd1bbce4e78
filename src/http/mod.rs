//! What every route shares: the frame around a request, bodies, queries and ids read with the registry's errors,
//! paging, replies, the client's address, and the clients for calls to carriers and
//! to addresses that customers choose. Knows no feature.
//!
//! Reading order: `settings`, `frame` (the one middleware), `problem` and `fault` (errors), then the extractors.

pub mod settings;
pub mod request_id;
pub mod client_ip;
pub mod problem;
pub mod rate_view;
pub mod refusals;
pub mod fault;
mod unread;
pub mod reader;
pub mod witness;
pub mod frame;
pub mod tree;
pub mod decode;
pub mod idempotency_key;
pub mod body;
pub mod query;
pub mod page;
pub mod follow;
pub mod reply;
pub mod sheet;
pub mod outbound;
pub mod reach;
pub mod guarded;

#[cfg(test)]
mod tests;

pub use body::{Body, NoMembers, OptionalBody, Raw, Sheet};
pub use frame::frame;
pub use idempotency_key::IdempotencyKey;
pub use page::{Listing, Page};
pub use query::{Id, Query, path_part};
pub use rate_view::put_view;
pub use request_id::RequestId;
pub use settings::{MaxBody, Settings, Strangers, base_url};
pub use sheet::{Rows, csv, harmless, opened, wants};
pub use witness::{Seen, Who, Witness, put_who};
