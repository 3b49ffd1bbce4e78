//! The machine: data directory, free space, clock, secret key.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Finding;
use crate::clock::{Clock, Millis};
use crate::config::{Config, KeyState};
use crate::disk::Room;
use crate::failpoint;

/// Below this much, the next checkpoint may not fit.
const NO_SPACE_MIB: u64 = 64;

/// 2026-01-01T00:00:00Z: this version did not exist before.
const OLDEST_NOW: Millis = Millis(1_767_225_600_000);

/// 2100-01-01T00:00:00Z: a clock beyond it is broken.
const NEWEST_NOW: Millis = Millis(4_102_444_800_000);

/// Looks at what needs no database.
pub fn examine(config: &Config) -> Vec<Finding> {
    let dir = &config.node.data_dir;
    vec![build(), directory(dir), space(dir), clock(Clock::System.now()), secret_key(config)]
}

fn build() -> Finding {
    const ABOUT: &str = "build";
    if failpoint::BUILT_IN {
        return Finding::warn(ABOUT, "made for tests: it has failpoints", "build with cargo build --release");
    }
    Finding::ok(ABOUT, "no failpoints")
}

fn directory(dir: &Path) -> Finding {
    const ABOUT: &str = "data directory";
    let shown = dir.display();
    let meta = match std::fs::metadata(dir) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::ok(ABOUT, format!("{shown} will be made at first start"));
        }
        Err(error) => return Finding::fail(ABOUT, format!("{shown}: {error}"), "give this user the right to enter it"),
    };
    if !meta.is_dir() {
        return Finding::fail(ABOUT, format!("{shown} is a file"), "set POSTERN_DATA_DIR to a directory");
    }
    let probe = dir.join(format!(".doctor.{}", crate::secret::random_token::<8>()));
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = written {
        return Finding::fail(ABOUT, format!("{shown} cannot be written: {error}"), "chown it to this user");
    }
    match meta.permissions().mode() & 0o077 {
        0 => Finding::ok(ABOUT, format!("{shown} is writable and private")),
        _ => Finding::warn(ABOUT, format!("{shown} is open to other users"), format!("chmod 700 {shown}")),
    }
}

fn space(dir: &Path) -> Finding {
    const ABOUT: &str = "free space";
    let hint = "make room, or move POSTERN_DATA_DIR to a larger disk";
    match Room::of(dir).map(|room| (room.free >> 20, room.is_low())) {
        Some((free, _)) if free < NO_SPACE_MIB => Finding::fail(ABOUT, format!("{free} MiB"), hint),
        Some((free, true)) => Finding::warn(ABOUT, format!("{free} MiB"), hint),
        Some((free, false)) => Finding::ok(ABOUT, format!("{free} MiB")),
        None => Finding::warn(ABOUT, "not known here", "check the disk by hand"),
    }
}

fn clock(now: Millis) -> Finding {
    const ABOUT: &str = "clock";
    if (OLDEST_NOW..=NEWEST_NOW).contains(&now) {
        return Finding::ok(ABOUT, now.rfc3339());
    }
    Finding::fail(ABOUT, format!("{} cannot be now", now.rfc3339()), "set the clock and keep it by NTP")
}

fn secret_key(config: &Config) -> Finding {
    const ABOUT: &str = "secret key";
    let file = config.secret_key_file();
    let shown = file.display();
    match config.key_state() {
        Ok(KeyState::Configured) => Finding::ok(ABOUT, "configured"),
        Ok(KeyState::Absent) => Finding::ok(ABOUT, format!("will be made in {shown} at first start; back it up then")),
        Ok(KeyState::Kept) => match std::fs::metadata(&file).map(|meta| meta.permissions().mode() & 0o077) {
            Ok(0) => Finding::ok(ABOUT, format!("kept in {shown}; back it up apart from the database")),
            _ => Finding::fail(ABOUT, format!("{shown} is open to other users"), format!("chmod 600 {shown}")),
        },
        Err(faults) => Finding::fail(ABOUT, faults.to_string(), "see above"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_before_the_product_is_wrong() {
        assert_eq!(clock(Millis(0)).state, State::Fail);
        assert_eq!(clock(OLDEST_NOW).state, State::Ok);
    }

    #[test]
    fn a_key_that_others_can_read_is_a_failure() {
        let mut config = Config::for_tests();
        config.node.secret_key = None;
        config.keyring().unwrap();
        assert_eq!(secret_key(&config).state, State::Ok);
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(config.secret_key_file(), open).unwrap();
        assert_eq!(secret_key(&config).state, State::Fail);
        std::fs::remove_dir_all(&config.node.data_dir).unwrap();
    }

    #[test]
    fn a_data_directory_that_others_can_enter_is_warned_of() {
        let config = Config::for_tests();
        let dir = &config.node.data_dir;
        assert_eq!(directory(dir).state, State::Ok);
        config.make_data_dir().unwrap();
        assert_eq!(directory(dir).state, State::Ok);
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(directory(dir).state, State::Warn);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
