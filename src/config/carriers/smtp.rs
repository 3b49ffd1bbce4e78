//! A mail server.

use lettre::message::Mailbox;

use super::super::concern::{Concern, concern};
use super::super::fault::Wrong;
use super::super::reader::Section;
use super::super::setting::{Setting, any, text_of, word_setting};
use super::super::value::Value;
use crate::secret::Secret;

crate::text_enum! {
    /// How a mail connection is protected.
    pub enum MailTls { Starttls = "starttls", Tls = "tls", None = "none" }
}

word_setting!(MailTls);

concern! {
    /// A mail server.
    pub struct SmtpCarrier {
        /// Its name or address.
        host: String = required "smtp.example.com", "", is_a_host;
        /// Its port: 587 for starttls, 465 for tls.
        port: u16 = default "587", "", any;
        /// starttls (required, never optional), tls from the first byte, or none (loopback only, where there is a password).
        tls: MailTls = default "starttls", "", any;
        /// The user name, with password.
        username: Option<String> = example "postern", "", any;
        /// The password, with username.
        password: Option<Secret<String>> = example "…", "", any;
        /// The sender of every mail.
        from: Mailbox = required "Example <no-reply@example.com>", "", any;
        /// Where replies go.
        reply_to: Option<Mailbox> = example "help@example.com", "", any;
    }
}

impl SmtpCarrier {
    /// Reads the keys and checks them against each other.
    pub(super) fn read_checked(section: &mut Section<'_>) -> Option<Self> {
        let [username, password] = ["username", "password"].map(|name| Self::is_written(section, name));
        let tls: Option<MailTls> = Self::peek(section, "tls");
        let host: Option<String> = Self::peek(section, "host");
        let read = Self::read(section);
        let hint = "write both username and password, or neither";
        match (username, password) {
            (true, false) => section.fault("password", Wrong::new("is missing", hint)),
            (false, true) => section.fault("username", Wrong::new("is missing", hint)),
            _ => {}
        }
        let far = host.is_some_and(|host| !matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"));
        if tls == Some(MailTls::None) && password && far {
            let what = "= \"none\" would send the password in the clear";
            section.fault("tls", Wrong::new(what, "write \"starttls\" or \"tls\""));
        }
        read
    }
}

impl Setting for Mailbox {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "a mail address", "Example <no-reply@example.com>")?;
        text.parse().map_err(|_| {
            let hint = "write \"no-reply@example.com\" or \"Example <no-reply@example.com>\"";
            Wrong::new(format!("= {text:?} is not a mail address"), hint)
        })
    }
}

fn is_a_host(host: &String) -> Result<(), Wrong> {
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b));
    if fits {
        Ok(())
    } else {
        Err(Wrong::new(format!("= {host:?} is not a host"), "write a name such as \"smtp.example.com\""))
    }
}
