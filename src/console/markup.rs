//! HTML that a template of ours has written, and so is safe to put into a page.

use askama::Template;

use crate::error::{Error, Result};

/// HTML that needs no escaping: only a template makes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// What `template` renders to.
    ///
    /// # Errors
    /// `internal` where it cannot be rendered.
    pub(super) fn of(template: &impl Template) -> Result<Markup> {
        template.render().map(Markup).map_err(Error::internal)
    }
}

impl std::fmt::Display for Markup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
