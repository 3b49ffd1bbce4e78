//! Checkpoints and proofs at the machine, and the support bundle.

use std::os::unix::fs::PermissionsExt;

use super::{Folder, json, postern, run};

fn org(folder: &Folder, name: &str) {
    json(&folder.0, &["org", "create", name, "--plan", "pro", "--country", "GB"]);
}

/// Makes a checkpoint and appends it to the file that is kept elsewhere.
fn checkpoint(folder: &Folder) {
    let made = run(&folder.0, &["audit", "checkpoint", "--reason", "by hand"]);
    assert!(made.status.success(), "{made:?}");
    let file = folder.0.join("kept.jsonl");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, before + &String::from_utf8(made.stdout).unwrap()).unwrap();
}

/// What a walk beside the kept checkpoints says, and whether it ended well.
fn verified(folder: &Folder) -> (serde_json::Value, Option<i32>) {
    let output = run(&folder.0, &["audit", "verify", "--checkpoints", "kept.jsonl"]);
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

#[test]
fn a_database_that_was_put_back_to_an_older_copy_is_found_by_a_checkpoint() {
    let folder = Folder::fresh();
    org(&folder, "Before");
    checkpoint(&folder);
    json(&folder.0, &["backup", "copy.db"]);
    org(&folder, "Hidden");
    checkpoint(&folder);
    assert_eq!(verified(&folder).1, Some(0));
    json(&folder.0, &["restore", "copy.db", "--replace"]);
    assert_eq!(json(&folder.0, &["audit", "verify"])["whole"], true, "the chain alone cannot show it");
    let (found, code) = verified(&folder);
    assert_eq!((found["checkpoints"]["fault"].as_str(), code), (Some("cut_off"), Some(1)), "{found}");
    // Written on, it is as long as it was.
    org(&folder, "Instead");
    org(&folder, "Instead, too");
    let (found, code) = verified(&folder);
    assert_eq!((found["checkpoints"]["fault"].as_str(), code), (Some("diverged"), Some(1)), "{found}");
    // Another installation's key vouches for nothing here.
    let key = json(&folder.0, &["audit", "key"])["key"].as_str().unwrap().to_owned();
    let other = Folder::fresh();
    let strange = json(&other.0, &["audit", "key"])["key"].as_str().unwrap().to_owned();
    assert_ne!(key, strange);
    let output = run(&folder.0, &["audit", "verify", "--checkpoints", "kept.jsonl", "--key", &strange]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["checkpoints"]["fault"].as_str(), output.status.code()), (Some("unsigned"), Some(1)), "{found}");
    std::fs::write(folder.0.join("kept.jsonl"), "nothing\n").unwrap();
    assert_eq!(run(&folder.0, &["audit", "verify", "--checkpoints", "kept.jsonl"]).status.code(), Some(1));
}

#[test]
fn a_proof_is_checked_where_there_is_nothing_but_the_file() {
    let folder = Folder::fresh();
    org(&folder, "ACME");
    checkpoint(&folder);
    let key = json(&folder.0, &["audit", "key"])["key"].as_str().unwrap().to_owned();
    let proof = String::from_utf8(run(&folder.0, &["audit", "export", "--from", "1"]).stdout).unwrap();
    let elsewhere = Folder::fresh();
    std::fs::write(elsewhere.0.join("proof.jsonl"), &proof).unwrap();
    assert_eq!(json(&elsewhere.0, &["audit", "check", "proof.jsonl", "--key", &key])["whole"], true);
    // Without a key it is found consistent, which is no success; beside the installation its own key is taken.
    let alone = run(&elsewhere.0, &["audit", "check", "proof.jsonl"]);
    let found: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(
        (&found["whole"], &found["consistent"], &found["signer_checked"]),
        (&false.into(), &true.into(), &false.into())
    );
    assert_eq!(alone.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--key"));
    std::fs::write(folder.0.join("proof.jsonl"), &proof).unwrap();
    assert_eq!(json(&folder.0, &["audit", "check", "proof.jsonl"])["signer_checked"], true);
    let stranger = Folder::fresh();
    json(&stranger.0, &["audit", "key"]);
    std::fs::write(stranger.0.join("proof.jsonl"), &proof).unwrap();
    assert_eq!(run(&stranger.0, &["audit", "check", "proof.jsonl"]).status.code(), Some(1));
    std::fs::write(elsewhere.0.join("proof.jsonl"), proof.replace("org.create", "org.delete")).unwrap();
    assert_eq!(run(&elsewhere.0, &["audit", "check", "proof.jsonl", "--key", &key]).status.code(), Some(1));
    assert_eq!(std::fs::read_dir(&elsewhere.0).unwrap().count(), 1, "nothing is made for it");
}

#[test]
fn a_support_bundle_is_one_private_file_without_secrets() {
    let folder = Folder::fresh();
    let text = r#"
operator_token = "canary-token-of-the-first-owner"
[server]
public_url = "http://localhost:1"
[alerts]
email = ["canary@example.com"]
[[carriers]]
name = "acme"
kind = "http"
url = "http://127.0.0.1:9/send?key=canary-in-an-address"
body = '{"to":"{to}","secret":"canary-in-a-body"}'
"#;
    std::fs::write(folder.0.join("postern.toml"), text).unwrap();
    org(&folder, "ACME");
    json(&folder.0, &["backup", "copy.db"]);
    let env = [("POSTERN_SECRET_KEY", "Q0FOQVJZLVNFUlZFUi1LRVktT0YtMzItQllURVMtT0s=")];
    let written = postern(&folder.0, &env).args(["support-bundle", "--out", "bundle.json"]).output().unwrap();
    assert!(written.status.success(), "{written:?}");
    let file = folder.0.join("bundle.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bundle = std::fs::read_to_string(&file).unwrap();
    for canary in ["canary", "CANARY", "Q0FOQVJZ"] {
        assert!(!bundle.contains(canary), "{canary} in {bundle}");
    }
    let bundle: serde_json::Value = serde_json::from_str(&bundle).unwrap();
    assert_eq!(bundle["status"]["backup"]["author"], "cli");
    let keys: Vec<&str> =
        bundle["status"]["config"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    for key in ["operator_token", "secret_key", "server.public_url", "alerts.email"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    let again = run(&folder.0, &["support-bundle", "--out", "bundle.json"]);
    assert_eq!(again.status.code(), Some(1), "it overwrites nothing");
}

#[test]
fn a_reason_at_the_machine_names_nobody_either() {
    let folder = Folder::fresh();
    let refused = run(&folder.0, &["audit", "checkpoint", "--reason", "asked by +44 7400 555777"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("write the message's id"), "{said}");
    assert!(!said.contains("555777"), "{said}");
    assert!(run(&folder.0, &["audit", "checkpoint", "--reason", "ticket 447400555777"]).status.success());
}
