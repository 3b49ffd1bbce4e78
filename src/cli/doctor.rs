//! `postern doctor`: what a healthy installation needs, one line a check, with a hint for what is missing.

use std::path::Path;

use super::show;
use crate::config::{Config, ConfigFaults, Source};
use crate::system::{Finding, State, examine};

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
}
