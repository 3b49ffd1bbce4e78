//! The last log lines of this process, in memory and bounded, for a support bundle. They are what the log says, so they
//! hold no secret, code or number: a test looks for those in either.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;

/// Lines that are kept.
const LINES: usize = 500;
/// Bytes that are kept; a line of more is cut.
const BYTES: usize = 256 * 1024;
/// Bytes of a line.
const LONGEST: usize = 4 * 1024;

/// The lines of this process.
static RECENT: Mutex<Kept> = Mutex::new(Kept::new());

struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Kept {
    const fn new() -> Kept {
        Kept { lines: VecDeque::new(), bytes: 0 }
    }

    fn push(&mut self, mut line: String) {
        let end = (0..=LONGEST.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
        line.truncate(end.unwrap_or_default());
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            self.bytes -= self.lines.pop_front().map_or(self.bytes, |gone| gone.len());
        }
    }
}

/// What a log layer writes to: each writer is one line, kept when it is done.
#[derive(Debug, Default)]
struct Lines;

struct Line(Vec<u8>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let line = String::from_utf8_lossy(&self.0);
        let line = line.trim_end();
        if !line.is_empty() {
            RECENT.lock().unwrap_or_else(PoisonError::into_inner).push(String::from(line));
        }
    }
}

/// The layer that keeps what passes through it, as JSON lines.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(Lines)
}

/// The lines that are kept, oldest first.
pub fn lines() -> Vec<String> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).lines.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_a_long_line_is_cut() {
        let mut kept = Kept::new();
        (0..LINES + 20).for_each(|n| kept.push(format!("line {n}")));
        assert_eq!((kept.lines.len(), kept.lines[0].as_str()), (LINES, "line 20"));
        (0..LINES).for_each(|_| kept.push("ä".repeat(LONGEST)));
        assert!(kept.bytes <= BYTES && kept.lines.iter().all(|line| line.len() <= LONGEST));
        assert_eq!(kept.bytes, kept.lines.iter().map(String::len).sum::<usize>());
    }
}
