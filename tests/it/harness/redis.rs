//! A Redis of the test's own, to be killed, stopped, emptied and slowed down.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::wait::until;

/// A server with nothing on disk, behind a way that can be made long; gone when dropped.
pub struct RedisServer {
    port: u16,
    child: Child,
    folder: PathBuf,
    way: Way,
}

impl RedisServer {
    /// A fresh one on a free port.
    pub fn start() -> RedisServer {
        let folder = std::env::temp_dir().join(format!("postern-redis-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        // A free port cannot be reserved; one that was taken meanwhile shows as a server that does not come up.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = launch(port, &folder);
        RedisServer { port, child, folder, way: Way::to(SocketAddr::from(([127, 0, 0, 1], port))) }
    }

    /// Its address, as configuration names it.
    pub fn url(&self) -> String {
        format!("redis://{}", self.way.address)
    }

    /// Ends it at once, as a crash does; what it knew is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A new one in the place of one that was killed.
    pub fn start_again(&mut self) {
        self.child = launch(self.port, &self.folder);
    }

    /// Makes it stand still: it takes connections and answers nothing.
    pub fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Makes it forget everything.
    pub fn flush(&self) {
        redis::cmd("FLUSHALL").exec(&mut self.connection()).unwrap();
    }

    /// What the one key of this pattern holds.
    pub fn value(&self, pattern: &str) -> Option<String> {
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut self.connection()).unwrap();
        let key = keys.first()?;
        redis::cmd("GET").arg(key).query(&mut self.connection()).unwrap()
    }

    fn connection(&self) -> redis::Connection {
        redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap().get_connection().unwrap()
    }

    /// Makes each way of an answer as long as this.
    pub fn slow_down(&self, by: Duration) {
        self.way.delay_ms.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It has ended already where a test ended with it dead.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn launch(port: u16, folder: &PathBuf) -> Child {
    let port_text = port.to_string();
    let arguments = ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    let child = Command::new("redis-server").args(arguments).current_dir(folder).stdout(Stdio::null()).spawn();
    let child = child.expect("redis-server must be installed: ./tests/run install");
    until("redis-server", || TcpStream::connect(("127.0.0.1", port)).ok());
    child
}

/// A way to a server; its threads end with their connections.
struct Way {
    address: SocketAddr,
    delay_ms: Arc<AtomicU64>,
}

impl Way {
    fn to(server: SocketAddr) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, delay_ms) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
        let delay = Arc::clone(&delay_ms);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone: the client's connection ends.
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (from, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || carry(from, server, &AtomicU64::new(0)));
                let delay = Arc::clone(&delay);
                std::thread::spawn(move || carry(back, client, &delay));
            }
        });
        Way { address, delay_ms }
    }
}

/// Carries bytes until either end closes.
fn carry(mut from: TcpStream, mut to: TcpStream, delay_ms: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    to.set_nodelay(true).unwrap();
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        std::thread::sleep(Duration::from_millis(delay_ms.load(Ordering::SeqCst)));
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // Closed already, perhaps by the other direction.
    drop(to.shutdown(std::net::Shutdown::Both));
    drop(from.shutdown(std::net::Shutdown::Both));
}
