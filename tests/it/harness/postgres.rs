//! A PostgreSQL server of a test's own, to be stopped and stalled.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A server in a folder of its own; stopped when dropped.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// A running server, empty.
    pub fn start() -> Postgres {
        let bin = programs().expect("PostgreSQL's server programs: ./tests/run install");
        let folder = std::env::temp_dir().join(format!("postern-pg-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Postgres { bin, folder, port };
        server.run("initdb", &["-A", "trust", "-U", "postern", "--locale=C", "-E", "UTF8", "--no-sync"]);
        server.resume_service();
        server
    }

    /// The address of its first database.
    pub fn url(&self) -> String {
        format!("postgres://postern@127.0.0.1:{}/postgres", self.port)
    }

    /// As if the machine had failed: no goodbye to anybody.
    pub fn crash(&self) {
        self.run("pg_ctl", &["stop", "-s", "-m", "immediate"]);
    }

    /// Starts again on the same data.
    pub fn resume_service(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off -c max_connections=60",
            self.port,
            self.folder.display()
        );
        let log = self.folder.join("log").display().to_string();
        self.run("pg_ctl", &["start", "-s", "-w", "-l", &log, "-o", &options]);
    }

    /// Stops the time of all its processes (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let postmaster = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let postmaster = postmaster.lines().next().unwrap().to_owned();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all = std::iter::once(postmaster.as_str()).chain(children.split_whitespace());
        // One that has ended meanwhile needs no signal.
        drop(Command::new("kill").arg(format!("-{name}")).args(all).output().unwrap());
    }

    fn run(&self, program: &str, args: &[&str]) {
        let output = self.as_owner(&self.bin.join(program), args);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// PostgreSQL refuses to run as root.
    fn as_owner(&self, program: &Path, args: &[&str]) -> Output {
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(program);
        }
        // What the server prints goes to its log; a pipe that it kept open would never end.
        let said = std::fs::File::create(self.folder.join("said")).unwrap();
        let errors = said.try_clone().unwrap();
        command.arg("-D").arg(self.folder.join("data")).args(args).current_dir(&self.folder);
        let status = command.stdout(said).stderr(errors).status().unwrap();
        let stderr = std::fs::read(self.folder.join("said")).unwrap();
        Output { status, stdout: Vec::new(), stderr }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal("CONT");
        drop(self.as_owner(&self.bin.join("pg_ctl"), &["stop", "-s", "-m", "immediate"]));
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// The folder of the newest server programs; Debian keeps them out of PATH.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    found.sort();
    let of_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&of_path).collect::<Vec<_>>();
    let all = found.into_iter().rev().map(|(_, bin)| bin).chain(in_path);
    all.into_iter().find(|bin| bin.join("initdb").is_file() && bin.join("pg_ctl").is_file())
}
