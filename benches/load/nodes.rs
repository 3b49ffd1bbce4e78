//! The servers under test: real processes of the real binary, with a database, a folder and ports of their own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::args::Args;
use crate::database::{self, Database};
use crate::wire::Wire;

/// What every node of a run shares.
pub struct Stage {
    /// The command line.
    pub args: Args,
    /// The database.
    pub database: Database,
    /// An operator's token.
    pub operator: String,
    secret_key: String,
    carrier: SocketAddr,
    // Last: the folder goes when nothing lies in it any more.
    dir: Folder,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Requests only.
    Api,
    /// Requests and deliveries.
    All,
}

/// A server process; killed when dropped.
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start to its readiness.
    pub started_in: Duration,
    child: Child,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    /// A fresh database and folder; hand-offs go to `carrier`.
    pub fn set(args: &Args, carrier: SocketAddr) -> anyhow::Result<Stage> {
        let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = Folder(parent.join(format!("postern-load-{}", postern::secret::random_token::<12>())));
        std::fs::create_dir_all(&dir.0).with_context(|| format!("making {}", dir.0.display()))?;
        Ok(Stage {
            args: args.clone(),
            database: Database::create(args, &dir.0)?,
            operator: postern::secret::random_token::<32>(),
            secret_key: base64(postern::secret::random_token::<32>().as_bytes()),
            carrier,
            dir,
        })
    }

    /// Starts a node and waits until it is ready.
    pub async fn start(&self, role: Role) -> anyhow::Result<Node> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        self.start_at(role, port).await
    }

    /// Starts a node at a port.
    pub async fn start_at(&self, role: Role, port: u16) -> anyhow::Result<Node> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let log = std::fs::File::options().create(true).append(true).open(self.dir.0.join("server.log"))?;
        let mut command = self.command()?;
        command.arg("serve").current_dir(&self.dir.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        for (name, value) in self.environment(role, address)? {
            command.env(name, value);
        }
        let begin = Instant::now();
        let mut node = Node { address, started_in: Duration::ZERO, child: command.spawn().context("the server")? };
        while !is_ready(address).await {
            if let Some(status) = node.child.try_wait()? {
                bail!("the server ended ({status}):\n{}", self.log());
            }
            ensure!(begin.elapsed() < Duration::from_secs(20), "the server is not ready after 20 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        node.started_in = begin.elapsed();
        Ok(node)
    }

    /// What the servers have logged: nothing, where all is well.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.0.join("server.log")).unwrap_or_default()
    }

    /// The processes that serve, with those of the database and of Redis.
    pub fn pids(&self, nodes: &[Node]) -> anyhow::Result<Vec<u32>> {
        let mut pids: Vec<u32> = nodes.iter().map(Node::pid).collect();
        pids.extend(self.database.pids()?);
        pids.extend(self.args.redis_url.as_deref().map(database::redis_pid).transpose()?);
        Ok(pids)
    }

    /// The binary under test.
    pub fn binary(&self) -> anyhow::Result<PathBuf> {
        if let Some(named) = &self.args.binary {
            return Ok(std::fs::canonicalize(named)?);
        }
        let beside = std::env::current_exe()?.with_file_name("postern");
        ensure!(beside.exists(), "there is no {}; build it first: cargo build --release", beside.display());
        Ok(beside)
    }

    /// The binary, on a disk as slow as wished. Variables of whoever runs this do not reach it.
    fn command(&self) -> anyhow::Result<Command> {
        let binary = self.binary()?;
        let slow = self.args.slow_syncs;
        let mut command = if slow == 0 {
            Command::new(binary)
        } else {
            let inject = format!("inject=fsync,fdatasync:delay_exit={slow}");
            // -D: the server stays this process's own child, to be measured and ended as such.
            let mut strace = Command::new("/usr/bin/strace");
            strace.args(["-D", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-e", &inject, "-o", "/dev/null"]);
            strace.arg(binary);
            strace
        };
        command.env_clear();
        Ok(command)
    }

    fn environment(&self, role: Role, address: SocketAddr) -> anyhow::Result<Vec<(String, String)>> {
        let role = if role == Role::Api { "api" } else { "all" };
        let carrier = format!(
            r#"[{{ name = "load", kind = "http", url = "http://{}/send", body = '{{"to":"{{to}}","text":"{{text}}","ref":"{{id}}"}}', id_pointer = "/id" }}]"#,
            self.carrier
        );
        let mut pairs = vec![
            ("POSTERN_ROLE", String::from(role)),
            ("POSTERN_BIND", address.to_string()),
            ("POSTERN_METRICS_BIND", String::from("off")),
            ("POSTERN_LOG", String::from("warn")),
            ("POSTERN_DATA_DIR", self.dir.0.join("data").display().to_string()),
            ("POSTERN_SECRET_KEY", self.secret_key.clone()),
            ("POSTERN_OPERATOR_TOKEN", self.operator.clone()),
            ("POSTERN_CARRIERS", carrier),
            ("POSTERN_SERVER_DRAIN_DELAY", String::from("0s")),
        ];
        pairs.extend(self.database.url().map(|url| ("POSTERN_DATABASE_URL", url)));
        pairs.extend(self.args.redis_url.clone().map(|url| ("POSTERN_REDIS_URL", url)));
        let mut all: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (String::from(name), value)).collect();
        for given in &self.args.variables {
            let (name, value) = given.split_once('=').context("--env takes NAME=VALUE")?;
            all.push((String::from(name), String::from(value)));
        }
        Ok(all)
    }

    /// The folder of this run.
    pub fn dir(&self) -> &Path {
        &self.dir.0
    }
}

impl Node {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as the kernel does when memory is out: kill -9.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.pid().to_string()]).status()?;
        ensure!(asked.success(), "the server could not be asked to stop");
        let status = self.child.wait()?;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let probe = async {
        let mut wire = Wire::open(address).await?;
        Ok::<_, std::io::Error>(wire.call(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await?.status == 200)
    };
    probe.await.unwrap_or(false)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
