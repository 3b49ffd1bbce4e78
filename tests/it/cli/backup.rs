//! A copy of the embedded database, and putting one back.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Dev, Folder, json, paste, run};
use crate::harness::wait::until;

fn names(folder: &Path) -> Vec<String> {
    let listed = json(folder, &["org", "list"]);
    listed.as_array().unwrap().iter().map(|org| org["name"].as_str().unwrap().to_owned()).collect()
}

/// What a command that must fail said.
fn refusal(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_copy_is_put_back_and_what_was_there_is_moved_aside() {
    let folder = Folder::fresh();
    json(&folder.0, &["org", "create", "Before", "--plan", "pro", "--country", "GB"]);
    let copied = json(&folder.0, &["backup", "copy.db"]);
    assert_eq!((&copied["audit"]["whole"], copied["bytes"].as_u64() > Some(10_000)), (&true.into(), true), "{copied}");
    assert_eq!(std::fs::metadata(folder.0.join("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(refusal(&folder.0, &["backup", "copy.db"]).contains("is there already"));
    json(&folder.0, &["org", "create", "After", "--plan", "pro", "--country", "GB"]);
    assert!(refusal(&folder.0, &["restore", "copy.db"]).contains("--replace"));
    assert_eq!(names(&folder.0).len(), 2);
    let restored = json(&folder.0, &["restore", "copy.db", "--replace"]);
    assert_eq!(restored["audit"], copied["audit"]);
    assert_eq!(names(&folder.0), ["Before"]);
    assert_eq!(json(&folder.0, &["audit", "verify"])["head"], copied["audit"]["head"]);
    // The one that was there is whole, and can be put back as well.
    json(&folder.0, &["restore", restored["moved_aside"].as_str().unwrap(), "--replace"]);
    assert_eq!(names(&folder.0).len(), 2);
}

#[test]
fn a_running_server_is_copied_and_not_replaced() {
    let folder = Folder::fresh();
    let dev = Dev::start(&folder.0, "\"code\":\"000000\"");
    let curls = dev.curls();
    paste(&curls[0]);
    let key = dev.said.split_whitespace().find(|word| word.starts_with("pst_test_")).unwrap();
    let text = until("the message", || paste(&curls[1])["data"][0]["body"].as_str().map(str::to_owned));
    json(&folder.0, &["backup", "copy.db"]);
    assert!(refusal(&folder.0, &["restore", "copy.db", "--replace"]).contains("stop the server"));
    let bytes = std::fs::read(folder.0.join("copy.db")).unwrap();
    for secret in [key, &text] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the copy");
    }
    assert_eq!(dev.stop(), Some(0));
    json(&folder.0, &["restore", "copy.db", "--replace"]);
}

#[test]
fn a_damaged_or_foreign_file_is_refused_and_changes_nothing() {
    let folder = Folder::fresh();
    json(&folder.0, &["org", "create", "Here", "--plan", "pro", "--country", "GB"]);
    json(&folder.0, &["backup", "copy.db"]);
    let mut bytes = std::fs::read(folder.0.join("copy.db")).unwrap();
    let half = bytes.len() / 2;
    bytes.truncate(half);
    std::fs::write(folder.0.join("half.db"), &bytes).unwrap();
    std::fs::write(folder.0.join("text.db"), "no database").unwrap();
    std::fs::write(folder.0.join("empty.db"), "").unwrap();
    for file in ["half.db", "text.db", "empty.db", "nowhere.db"] {
        let said = refusal(&folder.0, &["restore", file, "--replace"]);
        assert!(said.contains(file) && !said.contains("retry"), "{file}: {said}");
    }
    assert_eq!(names(&folder.0), ["Here"]);
}

#[test]
fn postgresql_is_left_to_its_own_tools() {
    let folder = Folder::fresh();
    let mut command = super::postern(&folder.0, &[("POSTERN_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]);
    let output =
        command.env("POSTERN_SECRET_KEY", format!("{}=", "A".repeat(43))).args(["backup", "copy.db"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("pg_dump"), "{output:?}");
}
