//! One mail through one SMTP conversation, step by step, so that a failure says how far it came: before the content
//! was sent nothing is accepted, after it only a reply tells.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Severity;
use tokio::time::{Instant, timeout_at};

use super::Patience;
use crate::config::{MailTls, SmtpCarrier};
use crate::error::{Error, Result};
use crate::providers::{Outcome, Outgoing, Refusal, RefusalKind, wording};

/// An idle connection is used again within this time.
const IDLE: Duration = Duration::from_secs(20);
/// Idle connections kept at most.
const PARKED: usize = 4;
/// What a server that says "not now" (4xx) is given: greylisting wants minutes, but a code does not live that long.
const BUSY_WAIT: Duration = Duration::from_secs(30);

/// A mail on its way.
pub struct Letter {
    /// Who to whom.
    pub envelope: Envelope,
    /// Headers and body.
    pub content: Vec<u8>,
}

/// A mail server and the connections to it that are idle.
pub struct Server {
    host: String,
    port: u16,
    mode: MailTls,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    patience: Patience,
    parked: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
}

/// How far a conversation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connect,
    Login,
    Sender,
    Recipient,
    Data,
    Content,
}

/// Where and why a conversation ended.
#[derive(Debug)]
pub struct Failure {
    stage: Stage,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// The server said no: 4xx (not now) or 5xx.
    Said { later: bool, text: String },
    /// No reply, or none that could be read.
    Lost { timeout: bool, text: String },
}

impl Server {
    /// Prepares for the server of `account`. Errors: TLS cannot be set up for its name.
    pub fn new(account: &SmtpCarrier, patience: Patience) -> Result<Server> {
        let no_tls = |fault| Error::internal(format!("TLS to the mail server cannot be set up: {fault}"));
        let tls = match account.tls {
            MailTls::None => None,
            MailTls::Starttls | MailTls::Tls => Some(TlsParameters::new(account.host.clone()).map_err(no_tls)?),
        };
        let login = (account.username.as_ref().zip(account.password.as_ref()))
            .map(|(name, password)| Credentials::new(name.clone(), password.expose().clone()));
        let (host, port, mode) = (account.host.clone(), account.port, account.tls);
        Ok(Server { host, port, mode, tls, login, patience, parked: Mutex::default() })
    }

    /// Hands the mail over; `Ok` means the server has taken it upon itself (RFC 5321, section 4.1.1.4).
    pub async fn deliver(&self, letter: &Letter) -> Result<(), Failure> {
        let deadline = Instant::now() + self.patience.total;
        if let Some(conn) = self.unpark() {
            match self.converse(conn, letter, deadline).await {
                // The server had closed the idle connection: nothing was said on it.
                Err(Failure { stage: Stage::Sender, cause: Cause::Lost { timeout: false, .. } }) => {}
                ended => return ended,
            }
        }
        let conn = self.open(deadline).await?;
        self.converse(conn, letter, deadline).await
    }

    /// Connects, is let in and leaves; nothing is mailed. Error: how far it came and why no further.
    pub async fn look(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.patience.total;
        let mut conn = self.open(deadline).await?;
        // It has let us in: how it says good-bye does not matter.
        drop(step(Stage::Login, deadline, conn.quit()).await);
        Ok(())
    }

    async fn open(&self, deadline: Instant) -> Result<AsyncSmtpConnection, Failure> {
        let hello = ClientId::default();
        let wrapped = if self.mode == MailTls::Tls { self.tls.clone() } else { None };
        let address = (self.host.as_str(), self.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.patience.connect), &hello, wrapped, None);
        let mut conn = step(Stage::Connect, deadline, connecting).await?;
        if let (MailTls::Starttls, Some(tls)) = (self.mode, self.tls.clone()) {
            step(Stage::Connect, deadline, conn.starttls(tls, &hello)).await?;
        }
        if let Some(login) = &self.login {
            step(Stage::Login, deadline, conn.auth(DEFAULT_MECHANISMS, login)).await?;
        }
        Ok(conn)
    }

    async fn converse(&self, mut conn: AsyncSmtpConnection, letter: &Letter, deadline: Instant) -> Result<(), Failure> {
        let mut options = Vec::new();
        if !is_ascii(&letter.envelope) {
            if !conn.server_info().supports_feature(Extension::SmtpUtfEight) {
                let text = String::from("5.6.7 the server takes no addresses outside ASCII");
                return Err(Failure { stage: Stage::Recipient, cause: Cause::Said { later: false, text } });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(letter.envelope.from().cloned(), options);
        step(Stage::Sender, deadline, conn.command(from)).await?;
        for to in letter.envelope.to() {
            step(Stage::Recipient, deadline, conn.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        step(Stage::Data, deadline, conn.command(Data)).await?;
        step(Stage::Content, deadline, conn.message(&letter.content)).await?;
        self.park(conn);
        Ok(())
    }

    fn unpark(&self) -> Option<AsyncSmtpConnection> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|(since, _)| since.elapsed() < IDLE);
        parked.pop().map(|(_, conn)| conn)
    }

    fn park(&self, conn: AsyncSmtpConnection) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if parked.len() < PARKED && !conn.has_broken() {
            parked.push((Instant::now(), conn));
        }
    }
}

fn is_ascii(envelope: &Envelope) -> bool {
    envelope.from().into_iter().chain(envelope.to()).all(|address| AsRef::<str>::as_ref(address).is_ascii())
}

/// Runs one step of the conversation to its reply, or to the deadline.
async fn step<T>(
    stage: Stage,
    deadline: Instant,
    work: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, Failure> {
    let cause = match timeout_at(deadline, work).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(fault)) => match fault.status() {
            Some(code) => {
                let later = code.severity == Severity::TransientNegativeCompletion;
                Cause::Said { later, text: fault.to_string() }
            }
            None => Cause::Lost { timeout: fault.is_timeout(), text: fault.to_string() },
        },
        Err(_) => Cause::Lost { timeout: true, text: String::from("no reply in time") },
    };
    Err(Failure { stage, cause })
}

impl Failure {
    /// What went wrong, in words, where no message was at hand.
    pub fn said(&self) -> String {
        let (Cause::Said { text, .. } | Cause::Lost { text, .. }) = &self.cause;
        wording::without(text, &[])
    }

    /// Whether the server refused our name and password.
    pub fn is_of_login(&self) -> bool {
        self.stage == Stage::Login
    }

    /// What the failure means for the message.
    pub fn outcome(self, message: &Outgoing) -> Outcome {
        let (kind, code, text) = match (self.stage, self.cause) {
            (Stage::Content, Cause::Lost { timeout, text }) => {
                let code = if timeout { "provider.timeout" } else { "provider.reset" };
                return Outcome::Unknown { code, detail: wording::keepable(&text, message) };
            }
            (Stage::Login, Cause::Said { later: false, text }) => (RefusalKind::Route, "provider.auth", text),
            (_, Cause::Said { later: true, text }) => (RefusalKind::Throttled(BUSY_WAIT), "provider.throttled", text),
            (Stage::Connect, Cause::Said { text, .. }) => (RefusalKind::Route, "provider.unavailable", text),
            (Stage::Recipient, Cause::Said { text, .. }) if !is_policy(&text) => {
                (RefusalKind::Final, "recipient.invalid", text)
            }
            (_, Cause::Said { text, .. }) => (RefusalKind::Route, "provider.rejected", text),
            (_, Cause::Lost { text, .. }) => (RefusalKind::Route, "provider.unreachable", text),
        };
        Outcome::Refused(Refusal { kind, code, detail: wording::keepable(&text, message) })
    }
}

/// Enhanced status X.7.x: the server refuses us, not the recipient (RFC 3463, section 3.8).
fn is_policy(text: &str) -> bool {
    text.split_whitespace().any(|word| word.starts_with("5.7."))
}
