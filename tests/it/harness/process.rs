//! The real binary as a process of its own: it can be killed, stopped, and started again on the same data.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::wait::meanwhile;

/// A server process in a process group of its own; killed when dropped.
pub struct Server {
    child: Child,
    log: PathBuf,
    from: usize,
    /// `http://127.0.0.1:PORT`, once it is ready.
    pub base: String,
    ended: Option<ExitStatus>,
}

impl Server {
    /// Starts the binary in `folder` with no variables but these; what it says goes to the end of `log`.
    pub fn spawn(folder: &Path, log: &Path, env: &[(String, String)]) -> Server {
        let from = std::fs::metadata(log).map_or(0, |file| usize::try_from(file.len()).unwrap());
        let file = File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("serve").current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).process_group(0);
        Server { child: command.spawn().unwrap(), log: log.to_owned(), from, base: String::new(), ended: None }
    }

    /// Waits until it takes requests; how long that took from now. Fails where it ends instead.
    pub async fn ready(&mut self) -> Duration {
        let from = Instant::now();
        while self.base.is_empty() {
            assert!(self.exit().is_none(), "it ended before it was ready: {}", self.said());
            let said = self.said();
            if let Some(at) = address_in(&said, "address") {
                self.base = format!("http://{at}");
            } else {
                super::wait::pause(Duration::from_millis(5)).await;
            }
        }
        let base = self.base.clone();
        meanwhile("readiness", || {
            assert!(self.exit().is_none(), "it ended before it was ready: {}", self.said());
            is_ready(base.clone())
        })
        .await;
        from.elapsed()
    }

    /// Waits until it takes requests or has ended: what waits from an earlier life may meet a failpoint first.
    pub async fn ready_or_gone(&mut self) -> bool {
        meanwhile("readiness or the end", || {
            let gone = self.exit().is_some();
            if let (true, Some(at)) = (self.base.is_empty(), address_in(&self.said(), "address")) {
                self.base = format!("http://{at}");
            }
            let base = self.base.clone();
            async move { if gone { Some(false) } else { is_ready(base).await } }
        })
        .await
    }

    /// What it has said since it was started.
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap();
        String::from_utf8_lossy(&bytes[self.from..]).into_owned()
    }

    /// Where its metrics are read, where a variable opened that door.
    pub fn metrics(&self) -> String {
        format!("http://{}", address_in(&self.said(), "metrics.address").unwrap())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        self.ended = self.child.wait().ok();
    }

    /// Sends a signal by name: `TERM`, `INT`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    /// How it ended, if it has.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        self.ended
    }

    /// Waits for its end; the exit code, or the signal as a negative number.
    pub async fn end(&mut self) -> i32 {
        while self.exit().is_none() {
            super::wait::pause(Duration::from_millis(5)).await;
        }
        let status = self.ended.unwrap();
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }

    /// Open file descriptors, and resident memory in KiB.
    pub fn size(&self) -> (usize, u64) {
        let proc = format!("/proc/{}", self.pid());
        let fds = std::fs::read_dir(format!("{proc}/fd")).unwrap().count();
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        (fds, line.split_whitespace().nth(1).unwrap().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.exit().is_none() {
            self.kill();
        }
    }
}

async fn is_ready(base: String) -> Option<bool> {
    if base.is_empty() {
        return None;
    }
    let reply = Actor::anonymous(&base).attempt("GET", "/readyz", None).await.ok()?;
    (reply.status == 200).then_some(true)
}

/// An address in the line that says it is up.
fn address_in(said: &str, which: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("\"postern is up\""))?;
    let json: serde_json::Value = serde_json::from_str(line).ok()?;
    json[which].as_str().map(str::to_owned)
}
