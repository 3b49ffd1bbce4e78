//! The one-time links that the machine itself gives out.

use std::process::Command;

use super::{Dev, Folder, json, run};

fn link_in(text: &str) -> String {
    let found = text.split_whitespace().find(|word| word.contains("/console/setup?token="));
    found.unwrap_or_else(|| panic!("no link: {text}")).to_owned()
}

/// The status that an address answers with.
fn status_of(url: &str) -> String {
    let output = Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_first_start_shows_a_link_and_the_command_makes_others() {
    let folder = Folder::fresh();
    let dev = Dev::start(&folder.0, "/console/setup?token=");
    let shown = link_in(&dev.said);
    assert!(dev.said.contains("No operator has a password yet"), "{}", dev.said);
    assert_eq!(status_of(&shown), "200");
    let base = shown.split("/console").next().unwrap().to_owned();
    let at_this_server = |link: &str| format!("{base}/console{}", link.split("/console").nth(1).unwrap());
    // Beside the running server, on its database.
    let text = |args: &[&str]| String::from_utf8_lossy(&run(&folder.0, args).stdout).into_owned();
    let another = link_in(&text(&["setup-link"]));
    assert!(another.starts_with("http://127.0.0.1:8080/console/setup?token=") && another != shown);
    assert_eq!(status_of(&at_this_server(&another)), "200");
    let of_dev = text(&["setup-link", "--operator", "dev"]);
    assert!(of_dev.contains("To choose a password"), "{of_dev}");
    assert_eq!(status_of(&at_this_server(&link_in(&of_dev))), "200");
    let nobody = run(&folder.0, &["setup-link", "--operator", "nobody"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(status_of(&format!("{base}/console/setup?token=x")), "404");
    assert_eq!(dev.stop(), Some(0));
}

#[test]
fn a_second_factor_is_taken_away_of_whom_it_is_said_and_who_has_one() {
    let folder = Folder::fresh();
    json(&folder.0, &["operator", "create", "Ada", "--role", "owner"]);
    for (name, why) in [("Ada", "without a second factor"), ("Eve", "names nobody")] {
        let refused = run(&folder.0, &["operator", "remove-second-factor", name, "--reason", "lost"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}
