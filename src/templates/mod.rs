//! The texts that carry a code: built in, per name, channel and locale; filled from an allow-list of parameters.

mod catalog;
mod fill;
mod locale;
mod params;
mod render;

pub use catalog::TemplateName;
pub use fill::fill;
pub use locale::Locale;
pub use params::{Defaults, Params};
pub use render::{CodeText, Rendered, render, verification_text};
