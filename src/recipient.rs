//! Who a message goes to: a phone number, a mail address or a user of WhatsApp's who shows no number; parsed once.

use lettre::Address;

use crate::phone::{Country, Phone, mask};
use crate::terms::Channel;

/// A recipient that the channel can reach. Display is masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// For SMS and WhatsApp.
    Phone(Phone),
    /// For mail, lower case.
    Email(String),
    /// For WhatsApp: a business-scoped user id, and the country that it begins with.
    User(String, Option<Country>),
}

impl Recipient {
    /// Reads `text` for `channel`; the error completes the sentence "`to` …".
    pub fn parse(text: &str, channel: Channel, country: Option<Country>) -> Result<Recipient, String> {
        match channel {
            Channel::Sms | Channel::Whatsapp => {
                Phone::parse(text, country).map(Recipient::Phone).map_err(|fault| fault.to_string())
            }
            Channel::Email => parse_email(text).map(Recipient::Email),
        }
    }

    /// The same where a user of WhatsApp's may be named by a business-scoped id, such as `GB.1234`.
    pub fn parse_or_user(text: &str, channel: Channel, country: Option<Country>) -> Result<Recipient, String> {
        match (channel, is_user_id(text)) {
            (Channel::Whatsapp, true) => Ok(Recipient::user(text)),
            _ => Recipient::parse(text, channel, country),
        }
    }

    fn user(id: &str) -> Recipient {
        Recipient::User(String::from(id), id.get(..2).and_then(|country| country.parse().ok()))
    }

    /// Reads an address out of a query string, where a plus often arrives as a blank, for whichever channel it fits.
    pub fn in_query(text: &str) -> Result<Recipient, String> {
        if is_user_id(text) {
            return Ok(Recipient::user(text));
        }
        let text = text.strip_prefix(' ').map_or_else(|| String::from(text), |rest| format!("+{rest}"));
        let channel = if text.contains('@') { Channel::Email } else { Channel::Sms };
        Recipient::parse(&text, channel, None)
    }

    /// The full address: for the carrier and for the owner of the message only.
    pub fn address(&self) -> &str {
        match self {
            Recipient::Phone(phone) => phone.e164(),
            Recipient::Email(address) | Recipient::User(address, _) => address,
        }
    }

    /// The number's country, or the one that a user id begins with; none for mail.
    pub fn country(&self) -> Option<Country> {
        match self {
            Recipient::Phone(phone) => Some(phone.country()),
            Recipient::User(_, country) => *country,
            Recipient::Email(_) => None,
        }
    }

    /// The number itself, where it is one.
    pub fn phone(&self) -> Option<&Phone> {
        match self {
            Recipient::Phone(phone) => Some(phone),
            Recipient::Email(_) | Recipient::User(..) => None,
        }
    }
}

/// Whether `text` is a business-scoped user id: two capital letters, a dot, up to 128 letters, digits and dots.
/// Source: <https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids>.
pub fn is_user_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(country, id)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    })
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(self.address()))
    }
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(self.address()))
    }
}

/// Whether a mail address stands in `text`.
pub fn names_email(text: &str) -> bool {
    const AROUND: [char; 11] = ['<', '>', '(', ')', '[', ']', ':', ';', ',', '"', '\''];
    let is_around = |c: char| c.is_whitespace() || AROUND.contains(&c);
    let is_of_domain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    text.match_indices('@').any(|(at, _)| {
        let (before, behind) = text.split_at(at);
        let local = before.rsplit(is_around).next().unwrap_or_default();
        let domain = behind.trim_start_matches('@').split(|c| !is_of_domain(c)).next().unwrap_or_default();
        parse_email(&format!("{}@{}", local.trim_matches('.'), domain.trim_end_matches(['.', '-']))).is_ok()
    })
}

/// RFC 5321, 4.5.3.1.3: a path is at most 254 octets without its brackets.
const MAX_EMAIL_BYTES: usize = 254;

fn parse_email(text: &str) -> Result<String, String> {
    const WRONG: &str = "is not a mail address; give it as name@example.com";
    let text = text.trim();
    if text.len() > MAX_EMAIL_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(String::from(WRONG));
    }
    let address: Address = text.parse().map_err(|_| String::from(WRONG))?;
    if !address.domain().contains('.') {
        return Err(String::from(WRONG));
    }
    Ok(address.to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_takes_its_own_kind_of_address() {
        assert_eq!(Recipient::parse("Ann@Example.COM", Channel::Email, None).unwrap().address(), "ann@example.com");
        assert!(Recipient::parse("+447400123456", Channel::Email, None).is_err());
        assert!(Recipient::parse("ann@example.com", Channel::Sms, None).is_err());
        for bad in
            ["", "ann", "ann@", "@example.com", "ann@localhost", "a b@example.com", "ann@example.com\nBcc: x@y.z"]
        {
            assert!(Recipient::parse(bad, Channel::Email, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_user_id_stands_for_a_number_on_whatsapp_only() {
        let user = Recipient::parse_or_user("GB.10000000000000000001", Channel::Whatsapp, None).unwrap();
        assert_eq!((user.address(), user.phone()), ("GB.10000000000000000001", None));
        assert_eq!(user.country().unwrap().as_str(), "GB");
        assert_eq!(Recipient::in_query("US.ENT.1"), Recipient::parse_or_user("US.ENT.1", Channel::Whatsapp, None));
        assert!(Recipient::parse_or_user("GB.1", Channel::Sms, None).is_err());
        assert!(Recipient::parse("GB.1", Channel::Whatsapp, None).is_err());
        for bad in ["GB", "GB.", "gb.1", "G.1", "GBR.1", "GB.1 2", "GB.1@2"] {
            assert!(!is_user_id(bad), "{bad}");
        }
    }

    #[test]
    fn a_recipient_shows_masked() {
        let to = Recipient::parse("+447400123456", Channel::Sms, None).unwrap();
        assert_eq!(format!("{to} {to:?}"), "+447••••••456 +447••••••456");
    }

    #[test]
    fn a_mail_address_is_found_in_a_text() {
        for text in [
            "ann@mail.example",
            "mailto:ann@mail.example?subject=x",
            "Ann <ann+code@mail.example>.",
            "for ann@mail.example.",
            "(ann@mail.example/4711)",
            "ann@mail.example's wish",
            "@ops: ann@bücher.example",
        ] {
            assert!(names_email(text), "{text}");
        }
        for text in ["", "@", "@ops asked", "ops @ work.", "ann@localhost", "3 @ 0.04 each", "a@@"] {
            assert!(!names_email(text), "{text}");
        }
    }
}
