//! `postern doctor`: what a healthy installation needs, one line a check, with a hint for what is missing.

mod carriers;
mod machine;
mod service;

use std::borrow::Cow;
use std::path::Path;

use super::show;
use crate::config::{Config, ConfigFaults, Source};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, and will be regretted.
    Warn,
    /// Does not work.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it went.
    pub state: State,
    /// What was checked.
    pub about: Cow<'static, str>,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is.
    pub hint: String,
}

impl Finding {
    /// All is well.
    fn ok(about: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Finding {
        Finding { state: State::Ok, about: about.into(), found: found.into(), hint: String::new() }
    }

    /// It works, but.
    fn warn(about: impl Into<Cow<'static, str>>, found: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { state: State::Warn, about: about.into(), found: found.into(), hint: hint.into() }
    }

    /// It does not work.
    fn fail(about: impl Into<Cow<'static, str>>, found: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { state: State::Fail, about: about.into(), found: found.into(), hint: hint.into() }
    }
}

/// Runs every check and prints the report; an error where one failed.
pub async fn run(file: Option<&Path>) -> anyhow::Result<()> {
    let findings = match Source::find(file).and_then(Config::load) {
        Ok(config) => examine(&config).await,
        Err(faults) => vec![bad_configuration(&faults)],
    };
    for finding in &findings {
        show::line(render(finding))?;
    }
    let failed = findings.iter().filter(|finding| finding.state == State::Fail).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "every key is good")];
    findings.extend(machine::examine(config));
    findings.extend(carriers::examine(config).await);
    findings.extend(service::examine(config).await);
    findings
}

fn bad_configuration(faults: &ConfigFaults) -> Finding {
    Finding::fail("configuration", faults.to_string(), "put these right; nothing else was checked")
}

fn render(finding: &Finding) -> String {
    let Finding { state, about, found, hint } = finding;
    let word = match state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Fail => "FAIL",
    };
    let hint = if hint.is_empty() { String::new() } else { format!("\n      hint: {hint}") };
    format!("{word}  {about}: {found}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_its_hint_another() {
        assert_eq!(render(&Finding::ok("clock", "plausible")), "ok    clock: plausible");
        assert_eq!(render(&Finding::fail("a", "b", "c")), "FAIL  a: b\n      hint: c");
    }

    #[tokio::test]
    async fn a_fresh_configuration_has_no_failure() {
        let config = Config::for_tests();
        let findings = examine(&config).await;
        assert!(findings.iter().all(|finding| finding.state != State::Fail), "{findings:?}");
        assert!(!config.node.data_dir.exists(), "the doctor only looks");
    }
}
