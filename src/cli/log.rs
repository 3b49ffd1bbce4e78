//! Where logs go: standard error, as JSON lines or as text.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Log, LogFormat};

/// How much a command says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Least {
    /// As the configuration says: servers.
    Configured,
    /// Warnings only, so that a short command's output is its answer.
    Warnings,
}

/// Starts logging for the life of the process. A second start changes nothing.
pub fn start(log: &Log, least: Least) {
    let words = if least == Least::Warnings { "warn" } else { log.filter.as_str() };
    let filter = EnvFilter::try_new(words).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // What a support bundle shows: what went wrong. All lines of a busy server would be those of its last moment.
    let kept = crate::recent::layer().with_filter(LevelFilter::WARN);
    let registry = tracing_subscriber::registry().with(filter).with(kept);
    let started = match log.format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init(),
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
    };
    if started.is_err() {
        eprintln!("postern: logging was started before");
    }
}
