//! What commands print: JSON on standard output, as the API shows it; sentences for people on standard error.

use std::io::Write;

use serde::Serialize;

use crate::error::{Code, Error};

/// Prints `value` as JSON, the way the API would.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Prints `text` and an end of line; a reader that has gone away is an error, not a panic.
pub fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Whether the error is only that the reader of our output has seen enough, as `head` does.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}

/// An error in full: its sentence, the fields it names, and the cause, which an operator at the machine may read. Where the
/// sentence is the one that says nothing ("on our side"), the cause alone.
pub fn explain(error: &anyhow::Error) -> String {
    let Some(known) = error.downcast_ref::<Error>() else { return format!("{error:#}") };
    if let (Code::Internal, Some(cause)) = (known.code(), known.cause_text()) {
        return cause.to_owned();
    }
    let mut text = known.sentence().to_owned();
    for (field, faults) in known.fields() {
        text.push_str(&format!("\n  {field} {}", faults.join("; ")));
    }
    if let Some(cause) = known.cause_text() {
        text.push_str(&format!("\n  cause: {cause}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_fields_and_its_cause() {
        let fields = explain(&Error::field("plan", "must be free, pro or enterprise").into());
        assert!(fields.ends_with("\n  plan must be free, pro or enterprise"), "{fields}");
        let cause = explain(&Error::internal("disk full").into());
        assert_eq!(cause, "disk full");
        let full = Error::new(Code::Overloaded).cause("queue full");
        assert!(explain(&full.into()).ends_with("\n  cause: queue full"));
        assert_eq!(explain(&anyhow::anyhow!("inner").context("outer")), "outer: inner");
    }
}
