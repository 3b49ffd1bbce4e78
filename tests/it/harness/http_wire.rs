//! As much HTTP/1.1 as a fake needs, on plain blocking sockets, so that it runs beside any runtime.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// By name in lower case; the last one wins.
    pub headers: BTreeMap<String, String>,
    /// All bytes of the body, unless it was left half unread on purpose.
    pub body: Vec<u8>,
}

impl Request {
    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as a form; the last of repeated names wins.
    pub fn form(&self) -> BTreeMap<String, String> {
        let body = std::str::from_utf8(&self.body).unwrap();
        actix_web::web::Query::<BTreeMap<String, String>>::from_query(body).unwrap().into_inner()
    }
}

/// Reads one request; `spare` bytes of the body stay unread in the socket. `None` where the peer went away.
pub fn read_request(stream: &TcpStream, spare: usize) -> Option<Request> {
    // One byte at a time: what is left unread must stay in the socket, not in a buffer of ours.
    let mut reader = BufReader::with_capacity(1, stream);
    let first = read_line(&mut reader)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = read_line(&mut reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let body = read_body(&mut reader, &headers, spare)?;
    Some(Request { method, path, headers, body })
}

fn read_body(reader: &mut impl BufRead, headers: &BTreeMap<String, String>, spare: usize) -> Option<Vec<u8>> {
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        return read_chunks(reader);
    }
    let length: usize = headers.get("content-length").map_or(Some(0), |text| text.parse().ok())?;
    let mut body = vec![0; length.saturating_sub(spare)];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn read_chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&read_line(reader)?, 16).ok()?;
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk).ok()?;
        read_line(reader)?;
        if size == 0 {
            return Some(body);
        }
        body.extend(chunk);
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// The head of an answer, up to and with the empty line.
pub fn head(status: u16, headers: &[(&str, String)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\n{lines}Connection: close\r\n\r\n")
}

/// Waits for the peer's first byte and leaves it unread; closing then makes the kernel send a reset.
pub fn wait_for_a_byte(stream: &TcpStream) {
    drop(stream.peek(&mut [0]));
}

/// Reads and drops what comes until the peer closes.
pub fn drain(stream: &mut TcpStream) {
    let mut sink = [0; 4096];
    while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
}
