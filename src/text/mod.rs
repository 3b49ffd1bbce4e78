//! What a text is to a carrier: its alphabet, its length, its parts; and the forms that phones fill in by themselves.

mod autofill;
mod gsm;
mod redact;
mod septets;

pub use autofill::{
    AppHash, AppHashFault, Host, HostFault, OriginBound, RETRIEVER_BYTES, fits_retriever, origin_bound, with_app_hash,
    with_origin,
};
pub use gsm::{Encoding, Measure, first_non_gsm, measure, split, split_in};
pub use redact::{digit_value, redact};
pub use septets::{from_septets, to_septets};
