//! The command line as a shell sees it: exit codes, output, and the first start of `postern dev`.

mod audit;
mod backup;
mod doctor;
mod remote;
mod setup_link;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::harness::wait::until;

/// A folder of its own for one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> Folder {
        let path = std::env::temp_dir().join(format!("postern-cli-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary, in `folder`, with no variables but these.
fn postern(folder: &Path, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(env.iter().copied());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    postern(folder, &[]).args(args).output().unwrap()
}

/// What the command printed, which must be JSON, after it ended well.
fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = run(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_bad_configuration_ends_with_78_and_shows_every_fault() {
    let folder = Folder::fresh();
    std::fs::write(folder.0.join("postern.toml"), "[server]\nbnid = 1\n[log]\nformat = \"xml\"\n").unwrap();
    for command in [["config", "check"], ["org", "list"]] {
        let output = postern(&folder.0, &[("POSTERN_BIND", "nowhere")]).args(command).output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{command:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for part in ["3 faults", "postern.toml:2", "did you mean bind?", "postern.toml:4", "POSTERN_BIND"] {
            assert!(said.contains(part), "{part} not in {said}");
        }
    }
}

#[test]
fn a_missing_file_that_was_named_is_bad_configuration() {
    let folder = Folder::fresh();
    assert_eq!(run(&folder.0, &["--config", "nowhere.toml", "config", "check"]).status.code(), Some(78));
    assert_eq!(run(&folder.0, &["config", "check"]).status.code(), Some(0));
}

#[test]
fn wrong_usage_ends_with_1_and_help_with_0() {
    let folder = Folder::fresh();
    assert_eq!(run(&folder.0, &["sreve"]).status.code(), Some(1));
    assert_eq!(run(&folder.0, &["org", "show", "org_x"]).status.code(), Some(1));
    assert_eq!(run(&folder.0, &["--help"]).status.code(), Some(0));
}

#[test]
fn what_config_print_prints_is_a_good_configuration() {
    let folder = Folder::fresh();
    let printed = run(&folder.0, &["config", "print"]).stdout;
    std::fs::write(folder.0.join("postern.toml"), printed).unwrap();
    assert_eq!(run(&folder.0, &["config", "check"]).status.code(), Some(0));
}

#[test]
fn the_reference_is_printed_without_a_server() {
    let folder = Folder::fresh();
    let document = json(&folder.0, &["openapi", "--server", "https://otp.example.com"]);
    assert_eq!(document["servers"][0]["url"], "https://otp.example.com");
    assert!(document["paths"]["/v1/messages"].is_object());
    assert!(!folder.0.join("data").exists(), "nothing is made for it");
}

#[test]
fn organizations_and_keys_are_made_at_the_machine_and_audited() {
    let folder = Folder::fresh();
    let org = json(&folder.0, &["org", "create", "ACME", "--plan", "pro", "--country", "GB", "--countries", "GB,IE"]);
    let id = org["id"].as_str().unwrap();
    assert_eq!(org["countries"], serde_json::json!(["GB", "IE"]));
    let key = json(&folder.0, &["key", "create", "--org", id, "--mode", "test", "--reason", "a trial"]);
    assert!(key["secret"].as_str().unwrap().starts_with("pst_test_"));
    let listed = json(&folder.0, &["key", "list", "--org", id]);
    assert_eq!(listed[0]["id"], key["id"]);
    assert!(listed[0].get("secret").is_none(), "a secret is shown once");
    let revoked = json(&folder.0, &["key", "revoke", key["id"].as_str().unwrap()]);
    assert!(revoked["revoked_at"].is_string());
    assert_eq!(json(&folder.0, &["audit", "verify"])["whole"], true);
    let gone = run(&folder.0, &["org", "show", "org_01h455vb4pex5vsknk084sn02q"]);
    assert_eq!(gone.status.code(), Some(1));
}

#[test]
fn the_lab_and_the_replay_run_without_a_server() {
    let folder = Folder::fresh();
    let runs = json(&folder.0, &["lab", "a7", "--seed", "3", "--json"]);
    assert!(runs[0]["attack"]["blocked"].as_u64().unwrap() > 900, "{runs}");
    assert_eq!(run(&folder.0, &["lab", "A99"]).status.code(), Some(1));
    let record = |second: u32| {
        format!(
            "{{\"at\":\"2026-11-01T10:{:02}:{:02}Z\",\"to\":\"+371201234{second:02}\",\"price\":70000}}",
            second / 60,
            second % 60
        )
    };
    let trace: Vec<_> = (0..60).map(record).collect();
    std::fs::write(folder.0.join("trace.jsonl"), trace.join("\n")).unwrap();
    let strict = run(&folder.0, &["simulate", "--print-rules", "--level", "strict"]).stdout;
    std::fs::write(folder.0.join("rules.json"), strict).unwrap();
    let replayed = || json(&folder.0, &["simulate", "trace.jsonl", "--rules", "rules.json"]);
    assert_eq!((&replayed()["attempts"], replayed()["hash"].as_str().unwrap().len()), (&serde_json::json!(60), 64));
    assert_eq!(replayed(), replayed());
    let period =
        ["simulate", "--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z", "--rules", "rules.json"];
    let empty = json(&folder.0, &period);
    assert_eq!((&empty["report"]["attempts"], &empty["rule_version"]), (&serde_json::json!(0), &serde_json::json!(0)));
    std::fs::write(folder.0.join("trace.jsonl"), "{}").unwrap();
    assert_eq!(run(&folder.0, &["simulate", "trace.jsonl"]).status.code(), Some(1));
}

#[test]
fn the_doctor_fails_where_a_check_does() {
    let folder = Folder::fresh();
    let healthy = run(&folder.0, &["doctor"]);
    assert_eq!(healthy.status.code(), Some(0));
    // This one is built for tests, and says so; the conformance step asks a normal build.
    assert!(String::from_utf8_lossy(&healthy.stdout).contains("warn  build: made for tests: it has failpoints"));
    std::fs::write(folder.0.join("data"), "a file where the directory belongs").unwrap();
    let output = run(&folder.0, &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAIL  data directory"));
}

/// `postern dev` on a free port.
struct Dev {
    child: Child,
    said: String,
}

impl Dev {
    /// Starts it and reads what it says up to the line that holds `last`.
    fn start(folder: &Path, last: &str) -> Dev {
        let mut command = postern(folder, &[("POSTERN_METRICS_BIND", "off"), ("POSTERN_LOG", "error")]);
        command.args(["dev", "--bind", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = String::new();
        for line in lines {
            said.push_str(&line);
            said.push('\n');
            if line.contains(last) {
                return Dev { child, said };
            }
        }
        panic!("dev ended with {:?} and said: {said}", child.wait());
    }

    /// The commands of the banner: what begins with curl, up to the empty line.
    fn curls(&self) -> Vec<String> {
        let paragraphs = self.said.split("\n\n").map(str::trim);
        paragraphs.filter(|text| text.starts_with("curl ")).map(str::to_owned).collect()
    }

    /// Asks it to end and answers its exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has ended already where the test got as far as `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pastes a command into a shell and reads the JSON it answers.
fn paste(command: &str) -> serde_json::Value {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{command}\nanswered {text}"))
}

#[test]
fn the_curls_of_the_first_start_work_when_pasted() {
    let folder = Folder::fresh();
    let dev = Dev::start(&folder.0, "\"code\":\"000000\"");
    let curls = dev.curls();
    let [send, look, check] = curls.as_slice() else { panic!("{}", dev.said) };
    let sent = paste(send);
    assert_eq!(sent["status"], "pending", "{sent}");
    let text = until("the message", || paste(look)["data"][0]["body"].as_str().map(str::to_owned));
    let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    assert_eq!(paste(&check.replace("000000", &code))["status"], "approved");
    assert_eq!(dev.stop(), Some(0));
}

#[test]
fn a_first_start_that_finds_its_port_taken_loses_no_key() {
    let folder = Folder::fresh();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let failed =
        postern(&folder.0, &[("POSTERN_METRICS_BIND", "off")]).args(["dev", "--bind", &bind]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("is another process there?"));
    assert_eq!(Dev::start(&folder.0, "\"code\":\"000000\"").stop(), Some(0));
}

#[test]
fn a_second_start_shows_no_key_again() {
    let folder = Folder::fresh();
    assert_eq!(Dev::start(&folder.0, "\"code\":\"000000\"").stop(), Some(0));
    let again = Dev::start(&folder.0, "Keys were shown at first start");
    assert!(!again.said.contains("pst_"), "{}", again.said);
    assert_eq!(again.stop(), Some(0));
}
