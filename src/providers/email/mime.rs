//! A message as a mail: typed headers, text and HTML side by side.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::providers::{Outgoing, Refusal, RefusalKind};

/// Longest display name a caller may choose, characters.
const LONGEST_NAME: usize = 64;

/// Writes the mail, and its Message-ID without the angle brackets. Errors: the recipient is no mail address.
pub fn compose(message: &Outgoing, from: &Mailbox, reply_to: Option<&Mailbox>) -> Result<(Message, String), Refusal> {
    let to: Address = message.to.parse().map_err(|_| invalid("the recipient is not a mail address"))?;
    let id = format!("{}@{}", message.attempt_id, from.email.domain());
    let mut mail = Message::builder()
        .from(Mailbox::new(sender_name(message, from), from.email.clone()))
        .to(Mailbox::new(None, to))
        .subject(subject(message, from))
        .message_id(Some(format!("<{id}>")))
        .raw_header(auto_submitted());
    if let Some(reply_to) = reply_to {
        mail = mail.reply_to(reply_to.clone());
    }
    let text = message.text.expose().clone();
    let built = match &message.html {
        Some(html) => mail.multipart(MultiPart::alternative_plain_html(text, html.expose().clone())),
        None => mail.singlepart(SinglePart::plain(text)),
    };
    built.map(|mail| (mail, id)).map_err(|_| invalid("the mail cannot be written"))
}

/// The caller may choose the name beside the address, never the address: that one the mail server vouches for.
fn sender_name(message: &Outgoing, from: &Mailbox) -> Option<String> {
    let asked = message.from.as_deref().map(one_line).filter(|name| !name.is_empty() && !name.contains('@'));
    asked.map(|name| name.chars().take(LONGEST_NAME).collect()).or_else(|| from.name.clone())
}

fn subject(message: &Outgoing, from: &Mailbox) -> String {
    match message.subject.as_deref().map(one_line).filter(|subject| !subject.is_empty()) {
        Some(subject) => subject,
        None => format!("A message from {}", from.name.as_deref().unwrap_or(from.email.domain())),
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Keeps out-of-office robots from answering (RFC 3834, section 5).
fn auto_submitted() -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), String::from("auto-generated"))
}

fn invalid(detail: &str) -> Refusal {
    Refusal { kind: RefusalKind::Final, code: "recipient.invalid", detail: String::from(detail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::carrier::tests::message;
    use crate::secret::Secret;

    fn written(message: &Outgoing) -> String {
        let from: Mailbox = "ACME <no-reply@acme.example>".parse().unwrap();
        let (mail, _) = compose(message, &from, None).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    #[test]
    fn text_and_html_stand_side_by_side_under_our_own_message_id() {
        let mut outgoing = message("jane@example.com");
        outgoing.subject = Some("Ваш код".into());
        outgoing.html = Some(Secret::new("<p>Your code is <b>918273</b></p>".into()));
        let mail = written(&outgoing);
        assert!(mail.contains("Content-Type: multipart/alternative"), "{mail}");
        assert!(mail.contains("text/plain") && mail.contains("text/html"), "{mail}");
        assert!(mail.contains(&format!("Message-ID: <{}@acme.example>\r\n", outgoing.attempt_id)), "{mail}");
        assert!(mail.contains("Auto-Submitted: auto-generated\r\n") && mail.contains("Date: "), "{mail}");
        assert!(mail.is_ascii());
    }

    #[test]
    fn no_text_of_a_caller_makes_a_header_of_its_own() {
        let mut outgoing = message("jane@example.com");
        outgoing.subject = Some("Hi\r\nBcc: all@example.com\r\n\r\nbody".into());
        outgoing.from = Some("ACME\r\nBcc: all@example.com".into());
        let mail = written(&outgoing);
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        for bad in ["jane@example.com\r\nBcc: x@example.com", "a@b\n", "jane", "@example.com", "a b@example.com", ""] {
            let from: Mailbox = "no-reply@acme.example".parse().unwrap();
            assert_eq!(compose(&message(bad), &from, None).unwrap_err().code, "recipient.invalid", "{bad:?}");
        }
    }

    #[test]
    fn a_caller_chooses_the_name_and_never_the_address() {
        let mut outgoing = message("jane@example.com");
        outgoing.from = Some("Shop".into());
        assert!(written(&outgoing).contains("From: Shop <no-reply@acme.example>"));
        outgoing.from = Some("ceo@bank.example".into());
        assert!(written(&outgoing).contains("From: ACME <no-reply@acme.example>"));
    }
}
