//! Mail through an SMTP server: TLS, authentication, real MIME.

mod mime;
mod session;

use std::time::Duration;

use super::probe::{ADDRESS, CREDENTIALS, Probe, Probing};
use super::{Carrier, CarrierLimits, Outcome, Outgoing, ReceiptState, Sending};
use crate::config::{Outbound, SmtpCarrier};
use crate::error::{Code, Error, Result};
use crate::terms::Channel;
use session::{Letter, Server};

/// Longest waits of a hand-off.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the connection stands.
    pub connect: Duration,
    /// The whole hand-off.
    pub total: Duration,
}

/// Posts a mail that is no message of a customer's: an invoice. Error: `provider.unavailable`; the mail server's words
/// are for the log.
pub async fn post_mail(account: &SmtpCarrier, outbound: &Outbound, mail: &lettre::Message) -> Result<()> {
    let patience = Patience { connect: outbound.connect_timeout, total: outbound.total_timeout };
    let letter = Letter { envelope: mail.envelope().clone(), content: mail.formatted() };
    let sent = Server::new(account, patience)?.deliver(&letter).await;
    sent.map_err(|failure| Error::new(Code::ProviderUnavailable).cause(format!("{failure:?}")))
}

/// A mail server as a carrier.
pub struct Email {
    name: String,
    channels: Vec<Channel>,
    account: SmtpCarrier,
    server: Server,
}

impl Email {
    /// A carrier called `name`. Errors: TLS cannot be set up for the server's name.
    pub fn new(name: String, channels: Vec<Channel>, account: SmtpCarrier, patience: Patience) -> Result<Email> {
        let server = Server::new(&account, patience)?;
        Ok(Email { name, channels, account, server })
    }

    async fn look(&self) -> Probe {
        match self.server.look().await {
            Ok(()) if self.account.username.is_some() => {
                Probe::LetIn(String::from("lets us in (SMTP, nothing mailed)"))
            }
            Ok(()) => Probe::Reached(String::from("answers (SMTP, nothing mailed); no user name is configured")),
            Err(failure) if failure.is_of_login() => {
                Probe::Failed(format!("does not let us in: {}", failure.said()), CREDENTIALS)
            }
            Err(failure) => Probe::Failed(format!("does not answer as it should: {}", failure.said()), ADDRESS),
        }
    }

    async fn hand_over(&self, message: &Outgoing) -> Outcome {
        let (mail, id) = match mime::compose(message, &self.account.from, self.account.reply_to.as_ref()) {
            Ok(written) => written,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let letter = Letter { envelope: mail.envelope().clone(), content: mail.formatted() };
        match self.server.deliver(&letter).await {
            Ok(()) => Outcome::Accepted { provider_id: Some(id), state: Some(ReceiptState::Sent) },
            Err(failure) => failure.outcome(message),
        }
    }
}

impl Carrier for Email {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn limits(&self) -> CarrierLimits {
        CarrierLimits { max_chars: 100_000, max_in_flight: 8 }
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.look())
    }
}
