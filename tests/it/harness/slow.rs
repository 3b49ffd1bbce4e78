//! A client that takes its time.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// Sends a blank twenty times a second from a thread of its own, for as long as the peer lets it, at most half a minute.
pub fn drip(mut stream: TcpStream) {
    std::thread::spawn(move || {
        for _ in 0..600 {
            if stream.write_all(b" ").is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
}
