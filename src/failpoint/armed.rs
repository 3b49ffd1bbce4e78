//! What `FAILPOINTS` says, and what happens where it says so.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Abort,
    Error,
    Sleep(Duration),
}

/// What is to happen at a place, and how often it is passed until then.
#[derive(Debug)]
struct Trap {
    action: Action,
    left: AtomicU32,
}

pub(super) fn pass(name: &'static str) -> Result<()> {
    static TRAPS: OnceLock<BTreeMap<String, Trap>> = OnceLock::new();
    let traps = TRAPS.get_or_init(|| read(std::env::var_os("FAILPOINTS").unwrap_or_default().to_str().unwrap_or("")));
    match traps.get(name).and_then(Trap::spring) {
        None => Ok(()),
        Some(Action::Abort) => std::process::abort(),
        Some(Action::Error) => Err(Error::internal(format!("the failpoint {name}"))),
        Some(Action::Sleep(time)) => {
            std::thread::sleep(time);
            Ok(())
        }
    }
}

impl Trap {
    /// The action, at the passage it waits for.
    fn spring(&self) -> Option<Action> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        (left == Ok(1)).then_some(self.action)
    }
}

/// What cannot be read is no trap: a test that waits for it will say so.
fn read(text: &str) -> BTreeMap<String, Trap> {
    let trap = |one: &str| {
        let (name, said) = one.trim().split_once('=')?;
        let (left, action) =
            said.split_once('*').map_or(Some((1, said)), |(n, action)| Some((n.parse().ok()?, action)))?;
        Some((name.to_owned(), Trap { action: action_of(action)?, left: AtomicU32::new(left) }))
    };
    text.split(';').filter_map(trap).collect()
}

fn action_of(text: &str) -> Option<Action> {
    match text {
        "abort" => Some(Action::Abort),
        "error" => Some(Action::Error),
        _ => {
            let ms = text.strip_prefix("sleep(")?.strip_suffix(')')?.parse().ok()?;
            Some(Action::Sleep(Duration::from_millis(ms)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_springs_once_and_at_its_passage() {
        let traps = read("a=abort; b=3*error;c=sleep(30)");
        let seen = |name: &str| (0..4).map(|_| traps[name].spring()).collect::<Vec<_>>();
        assert_eq!(seen("a"), [Some(Action::Abort), None, None, None]);
        assert_eq!(seen("b"), [None, None, Some(Action::Error), None]);
        assert_eq!(seen("c")[0], Some(Action::Sleep(Duration::from_millis(30))));
    }

    #[test]
    fn what_cannot_be_read_is_no_trap() {
        assert_eq!(read("").len() + read("a;b=;c=x*abort;d=sleep(x)").len(), 0);
    }
}
