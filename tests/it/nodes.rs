//! The processes that share a database: who is counted, for how long, and who must not start.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use postern::config::Role;
use postern::nodes::Place;

use crate::harness::Backend;
use crate::harness::app::TestApp;
use crate::harness::redis::RedisServer;

fn counts(app: &TestApp) -> (u32, u32) {
    (app.app.nodes.serving(), app.app.nodes.working())
}

async fn beat(app: &TestApp) {
    app.app.nodes.beat(&app.app.db).await.unwrap();
}

#[actix_web::test]
async fn a_node_is_counted_by_what_it_does_until_a_minute_after_its_last_word() {
    let one = TestApp::start().await;
    let api = one.another_with(|config| config.node.role = Role::Api).await;
    let worker = one.another_with(|config| config.node.role = Role::Worker).await;
    assert_eq!(counts(&one), (1, 1), "whoever has not looked yet is alone");
    for app in [&api, &worker, &one] {
        beat(app).await;
    }
    if Backend::server().is_none() {
        assert_eq!(counts(&one), (1, 1), "the embedded database has one node");
        return;
    }
    assert_eq!(counts(&one), (2, 2));
    worker.app.nodes.leave(&worker.app.db).await.unwrap();
    beat(&one).await;
    assert_eq!(counts(&one), (2, 1));
    one.advance(Duration::from_secs(59));
    beat(&one).await;
    assert_eq!(counts(&one), (2, 1));
    one.advance(Duration::from_secs(1));
    beat(&one).await;
    assert_eq!(counts(&one), (1, 1));
}

#[actix_web::test]
async fn of_many_that_start_at_once_one_may_serve_alone() {
    let first = TestApp::start().await;
    let (second, third) = (first.another().await, first.another().await);
    let worker = first.another_with(|config| config.node.role = Role::Worker).await;
    let enter = |app: &TestApp, alone| {
        let app = app.app.clone();
        async move { app.nodes.enter(&app.db, alone).await.unwrap() }
    };
    assert_eq!(enter(&worker, false).await, Place::Taken);
    let (a, b, c) = futures_util::future::join3(enter(&first, true), enter(&second, true), enter(&third, true)).await;
    let taken = [a, b, c].iter().filter(|place| **place == Place::Taken).count();
    if Backend::server().is_none() {
        assert_eq!(taken, 3, "the embedded database knows no second node");
        return;
    }
    assert_eq!(taken, 1, "a worker does not serve, and of those that do one has the place");
    first.advance(Duration::from_secs(6));
    assert_eq!(enter(&third, true).await, Place::Taken, "three beats without a word");
    assert_eq!(enter(&third, true).await, Place::Taken, "nobody is in their own way");
    assert_eq!(enter(&first, true).await, Place::TakenBy(third.app.nodes.id()));
    assert_eq!(enter(&first, false).await, Place::Taken);
}

/// `postern serve` on this database, in a folder of its own or of another's.
struct Serving {
    child: Child,
    folder: PathBuf,
    logs: BufReader<ChildStderr>,
}

impl Serving {
    fn start(url: &str, folder: &Path, env: &[(&str, &str)]) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("serve").current_dir(folder).env_clear().envs([
            ("POSTERN_DATABASE_URL", url),
            ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("POSTERN_BIND", "127.0.0.1:0"),
            ("POSTERN_METRICS_BIND", "off"),
            ("POSTERN_SERVER_DRAIN_DELAY", "0s"),
        ]);
        let mut child = command.envs(env.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
        let logs = BufReader::new(child.stderr.take().unwrap());
        Serving { child, folder: folder.to_owned(), logs }
    }

    /// Reads its log up to the line with this text; all of it where there is none.
    fn said(&mut self, text: &str) -> String {
        let mut said = String::new();
        while self.logs.read_line(&mut said).unwrap() > 0 && !said.contains(text) {}
        said
    }

    fn is_up(&mut self) -> bool {
        self.said("postern is up").contains("postern is up")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Ended already where it was refused.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn folder() -> PathBuf {
    let path = std::env::temp_dir().join(format!("postern-node-{}", postern::secret::random_token::<12>()));
    std::fs::create_dir(&path).unwrap();
    path
}

#[test]
fn a_second_node_without_redis_is_refused_unless_it_takes_its_share() {
    if Backend::server().is_none() {
        return;
    }
    let (backend, home) = (Backend::fresh(), folder());
    let mut first = Serving::start(&backend.url, &home, &[]);
    assert!(first.is_up());
    let mut second = Serving::start(&backend.url, &folder(), &[]);
    let said = second.said("no such text");
    assert_eq!(second.child.wait().unwrap().code(), Some(78), "{said}");
    assert!(said.contains("POSTERN_REDIS_URL") && said.contains("several_nodes = \"divide\""), "{said}");
    assert!(Serving::start(&backend.url, &folder(), &[("POSTERN_LIMITS_SEVERAL_NODES", "divide")]).is_up());
    assert!(Serving::start(&backend.url, &folder(), &[("POSTERN_ROLE", "worker")]).is_up());
    assert!(Serving::start(&backend.url, &folder(), &[("POSTERN_REDIS_URL", "redis://127.0.0.1:1")]).is_up());
}

#[test]
fn the_doctor_asks_redis() {
    if Backend::server().is_none() {
        return;
    }
    let (backend, home, redis) = (Backend::fresh(), folder(), RedisServer::start());
    let doctor = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("doctor").current_dir(&home).env_clear().envs([
            ("POSTERN_DATABASE_URL", backend.url.as_str()),
            ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("POSTERN_LIMITS_REDIS_TIMEOUT", "2s"),
            ("POSTERN_REDIS_URL", url),
        ]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let well = doctor(&redis.url());
    assert!(well.contains("ok    Redis: redis://127.0.0.1"), "{well}");
    let lost = doctor("redis://user:hunter2@127.0.0.1:1");
    assert!(lost.contains("FAIL  Redis: redis://127.0.0.1:1") && !lost.contains("hunter2"), "{lost}");
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn a_node_that_was_killed_comes_back_at_once() {
    if Backend::server().is_none() {
        return;
    }
    let (backend, home) = (Backend::fresh(), folder());
    let mut first = Serving::start(&backend.url, &home, &[]);
    assert!(first.is_up());
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let mut again = Serving::start(&backend.url, &home, &[]);
    let said = again.said("postern is up");
    assert!(said.contains("postern is up") && !said.contains("another node was seen"), "{said}");
}

#[actix_web::test]
async fn a_ring_of_one_process_is_heard_by_another() {
    if Backend::server().is_none() {
        return;
    }
    let one = TestApp::start().await;
    let other = one.another().await;
    let (tell, heard) = std::sync::mpsc::channel();
    other
        .app
        .db
        .on_ring(move || {
            let _ = tell.send(());
        })
        .unwrap();
    // The listener rings once itself when it begins to listen: for what was missed before.
    heard.recv_timeout(Duration::from_secs(20)).unwrap();
    one.app.db.ring().await.unwrap();
    heard.recv_timeout(Duration::from_secs(20)).unwrap();
}
