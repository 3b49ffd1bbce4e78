//! Texts that messages are made of: built in, and organizations' own, which are reviewed before they are sent.
//!
//! Reading order: the built-in ones (`catalog`, `locale`, `params`, `fill`, `render`); then those of organizations:
//! `slots` and `words` (what may be said), `status` (what may follow what), `change` (what owners and operators do),
//! `submit` and `reports` (what carriers review), `shelf` and `chosen` (what a message gets).

mod catalog;
mod change;
mod chosen;
mod fill;
mod http;
mod locale;
mod params;
mod preview;
mod render;
mod reports;
mod shelf;
mod slots;
mod status;
mod store;
mod submit;
mod told;
mod view;
mod words;

pub use catalog::TemplateName;
pub use change::judge;
pub use chosen::{Chosen, Values};
pub use fill::fill;
pub use http::{TemplateDocs, configure};
pub use locale::Locale;
pub use params::{Defaults, Params};
pub use render::{CodeText, Rendered, render, verification_text, with_phone_forms};
pub use reports::{Unsent, take_reports, take_unsent};
pub use shelf::{Choice, OwnTemplates, Wanted, approved, forget_templates, own_templates};
pub use status::{Deed, Status};
pub use store::{Filter, Whole, find as find_template, list as list_templates, whole as whole_template};
pub use submit::run_submissions;
pub use view::TemplateView;
