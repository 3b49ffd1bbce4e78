//! A mail server on a real socket: takes letters, or fails where it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;

/// A letter that was taken.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// User and password of AUTH PLAIN, where it was used.
    pub login: Option<(String, String)>,
    /// The message as it was sent, headers and body, dots undone.
    pub data: String,
}

/// Where a conversation fails.
#[derive(Debug, Clone)]
pub enum SmtpFault {
    /// This reply to the verb: `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, or `.` for the end of the letter.
    Reply(&'static str, &'static str),
    /// The connection closes instead of a reply; at `.` the letter has been taken.
    Drop(&'static str),
    /// No reply ever comes; at `.` the letter has been taken.
    Hang(&'static str),
}

impl SmtpFault {
    fn verb(&self) -> &'static str {
        match self {
            SmtpFault::Reply(verb, _) | SmtpFault::Drop(verb) | SmtpFault::Hang(verb) => verb,
        }
    }
}

/// The server; ends with the test's process.
pub struct FakeSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    fault: Mutex<Option<SmtpFault>>,
    once: AtomicBool,
    letters: Mutex<Vec<Letter>>,
}

impl FakeSmtp {
    /// Listens on a free port of the loopback and takes everything until told otherwise.
    pub fn start() -> FakeSmtp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let inner = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = inner.clone();
                std::thread::spawn(move || drop(Talk::new(stream, &shared).run()));
            }
        });
        FakeSmtp { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Fails every conversation like this from now on; `None` heals.
    pub fn fail(&self, fault: Option<SmtpFault>) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Fails the next conversation that comes to it, and is well again.
    pub fn fail_once(&self, fault: SmtpFault) {
        self.fail(Some(fault));
        self.shared.once.store(true, Ordering::SeqCst);
    }

    /// The letters taken, in order.
    pub fn letters(&self) -> Vec<Letter> {
        self.shared.letters.lock().unwrap().clone()
    }
}

/// One conversation.
struct Talk<'a> {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    letter: Letter,
    shared: &'a Shared,
}

/// Whether the conversation goes on.
type Step = std::io::Result<bool>;

impl<'a> Talk<'a> {
    fn new(stream: TcpStream, shared: &'a Shared) -> Self {
        let writer = stream.try_clone().unwrap();
        Talk { reader: BufReader::new(stream), writer, letter: Letter::default(), shared }
    }

    fn run(mut self) -> std::io::Result<()> {
        self.say("220 fake ESMTP")?;
        loop {
            let line = self.hear()?;
            if !self.obey(&line)? {
                return Ok(());
            }
        }
    }

    fn obey(&mut self, line: &str) -> Step {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => self.reply("EHLO", "250-fake\r\n250-AUTH PLAIN\r\n250 8BITMIME"),
            "AUTH" => {
                self.letter.login = login(line);
                self.reply("AUTH", "235 welcome")
            }
            "MAIL" => {
                self.letter.from = address(line);
                self.reply("MAIL", "250 ok")
            }
            "RCPT" => {
                self.letter.to.push(address(line));
                self.reply("RCPT", "250 ok")
            }
            "DATA" => self.data(),
            "QUIT" => self.say("221 bye").map(|()| false),
            _ => self.say("250 ok").map(|()| true),
        }
    }

    fn data(&mut self) -> Step {
        if self.fault_at("DATA").is_some() {
            return self.reply("DATA", "");
        }
        self.say("354 go on")?;
        loop {
            let line = self.hear()?;
            if line == "." {
                break;
            }
            self.letter.data.push_str(line.strip_prefix('.').unwrap_or(&line));
            self.letter.data.push_str("\r\n");
        }
        let letter = Letter { login: self.letter.login.clone(), ..Letter::default() };
        let letter = std::mem::replace(&mut self.letter, letter);
        if !matches!(self.fault_at("."), Some(SmtpFault::Reply(..))) {
            self.shared.letters.lock().unwrap().push(letter);
        }
        self.reply(".", "250 taken")
    }

    fn fault_at(&self, verb: &str) -> Option<SmtpFault> {
        let mut fault = self.shared.fault.lock().unwrap();
        let found = fault.clone().filter(|fault| fault.verb() == verb);
        if found.is_some() && self.shared.once.swap(false, Ordering::SeqCst) {
            *fault = None;
        }
        found
    }

    fn reply(&mut self, verb: &str, usual: &str) -> Step {
        match self.fault_at(verb) {
            None => self.say(usual).map(|()| true),
            Some(SmtpFault::Reply(_, text)) => self.say(text).map(|()| true),
            Some(SmtpFault::Drop(_)) => Ok(false),
            Some(SmtpFault::Hang(_)) => {
                while self.hear().is_ok() {}
                Ok(false)
            }
        }
    }

    fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.writer.write_all(format!("{text}\r\n").as_bytes())
    }

    fn hear(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// `a@example.com` of `MAIL FROM:<a@example.com> BODY=8BITMIME`.
fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

/// User and password of `AUTH PLAIN base64(\0user\0password)`.
fn login(line: &str) -> Option<(String, String)> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(line.split(' ').nth(2)?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.split('\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converse(server: &FakeSmtp, lines: &[&str]) -> Vec<String> {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all((lines.join("\r\n") + "\r\n").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        BufReader::new(stream).lines().map_while(Result::ok).collect()
    }

    const LETTER: &[&str] = &[
        "EHLO me",
        "AUTH PLAIN AHUAcA==",
        "MAIL FROM:<a@b.c>",
        "RCPT TO:<d@e.f>",
        "DATA",
        "Subject: x",
        "",
        "..dot",
        ".",
        "QUIT",
    ];

    #[test]
    fn a_letter_is_taken_whole() {
        let server = FakeSmtp::start();
        assert!(converse(&server, LETTER).contains(&"250 taken".to_owned()));
        let letters = server.letters();
        assert_eq!((letters[0].from.as_str(), letters[0].to.as_slice()), ("a@b.c", ["d@e.f".to_owned()].as_slice()));
        assert_eq!(letters[0].login, Some(("u".to_owned(), "p".to_owned())));
        assert_eq!(letters[0].data, "Subject: x\r\n\r\n.dot\r\n");
    }

    #[test]
    fn a_refused_letter_is_not_kept_and_a_dropped_one_is() {
        let server = FakeSmtp::start();
        server.fail(Some(SmtpFault::Reply(".", "552 too much")));
        assert!(converse(&server, LETTER).contains(&"552 too much".to_owned()));
        assert_eq!(server.letters().len(), 0);
        server.fail(Some(SmtpFault::Drop(".")));
        assert_eq!(converse(&server, LETTER).last().unwrap(), "354 go on");
        assert_eq!(server.letters().len(), 1);
        server.fail(Some(SmtpFault::Hang("RCPT")));
        assert_eq!(converse(&server, LETTER).last().unwrap(), "250 ok");
        server.fail(Some(SmtpFault::Drop("RCPT")));
        assert_eq!(converse(&server, LETTER).last().unwrap(), "250 ok");
        assert_eq!(server.letters().len(), 1);
    }
}
