//! What a healthy installation needs: one finding a check, with a hint for what is missing. `postern doctor` prints them,
//! the status of a running process shows those that can be made without asking carriers.

mod carriers;
mod machine;
mod service;

use std::borrow::Cow;

use serde::Serialize;

use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};

crate::text_enum! {
    /// How a check went.
    pub enum State as "CheckState" {
        /// As it should be.
        Ok = "ok",
        /// Works, and will be regretted.
        Warn = "warn",
        /// Does not work.
        Fail = "fail",
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// How it went.
    pub state: State,
    /// What was checked.
    #[schema(value_type = String, example = "public URL")]
    pub about: Cow<'static, str>,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is.
    pub hint: String,
}

impl Finding {
    /// All is well.
    pub fn ok(about: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Finding {
        Finding { state: State::Ok, about: about.into(), found: found.into(), hint: String::new() }
    }

    /// It works, but.
    pub fn warn(about: impl Into<Cow<'static, str>>, found: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { state: State::Warn, about: about.into(), found: found.into(), hint: hint.into() }
    }

    /// It does not work.
    pub fn fail(about: impl Into<Cow<'static, str>>, found: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { state: State::Fail, about: about.into(), found: found.into(), hint: hint.into() }
    }
}

/// Makes every check, as a process that does not serve: it opens the database, Redis and the carriers by itself.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "every key is good")];
    findings.extend(machine::examine(config));
    findings.extend(carriers::examine(config).await);
    findings.extend(service::examine(config).await);
    findings
}

/// What a running process can tell of itself without a call to the outside.
///
/// # Errors
/// Of the database.
pub async fn examine_running(app: &App) -> Result<Vec<Finding>> {
    let config = app.config.clone();
    let mut findings = tokio::task::spawn_blocking(move || machine::examine(&config)).await.map_err(Error::internal)?;
    findings.extend(service::examine_running(app).await?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fresh_configuration_has_no_failure() {
        let config = Config::for_tests();
        let findings = examine(&config).await;
        assert!(findings.iter().all(|finding| finding.state != State::Fail), "{findings:?}");
        assert!(!config.node.data_dir.exists(), "the doctor only looks");
    }
}
