//! The OpenAPI document and the pages made of it: the published form of the HTTP contract.
//!
//! Reading order: `document` (merged from the rooms), `finish` (what every operation shares), `sample` (examples), then
//! the pages: `reference`, `errors`, `guide`.

mod advice;
mod document;
mod errors;
mod finish;
mod guide;
mod http;
mod known;
mod links;
mod prose;
mod reference;
mod sample;
mod shape;

pub use document::document;
pub use http::{configure, no_such_route};
