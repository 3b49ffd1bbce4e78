//! What a broadcast says: once for all contacts, with places for what is each contact's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::BroadcastId;
use crate::messages::{SendBody, TemplateBody};
use crate::secret::{Keyring, Purpose};
use crate::terms::{Channel, Kind};

/// What every contact is told. No Debug: it may hold names.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The text with `{placeholders}`; this or a template.
    pub body: Option<String>,
    /// For mail.
    pub subject: Option<String>,
    /// The template's name.
    pub template: Option<String>,
    /// The template's language, where a contact names none.
    pub locale: Option<String>,
    /// Parameters that a contact does not give.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The originator.
    pub from: Option<String>,
    /// The country that national numbers are read in.
    pub country: Option<String>,
    /// Life of each message from its turn on.
    pub ttl: Option<String>,
    /// The caller's notes, on each message.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// What is a contact's own.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Fills its placeholders, before the broadcast's own parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl Own {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty() && self.locale.is_none()
    }
}

impl Said {
    /// The request that sends this to `to`. Error: `validation_failed` on `params.…`, where a placeholder has no value.
    pub fn to(&self, to: &str, own: &Own, (channel, kind): (Channel, Kind)) -> Result<SendBody> {
        let value = |name: &str| own.params.get(name).or_else(|| self.params.get(name)).map(String::as_str);
        let fill = |text: &String| fill(text, value);
        let template = self.template.as_ref().map(|name| TemplateBody {
            name: name.clone(),
            locale: own.locale.clone().or_else(|| self.locale.clone()),
            params: self.params.iter().chain(&own.params).map(|(name, value)| (name.clone(), value.clone())).collect(),
        });
        Ok(SendBody {
            to: Some(String::from(to)),
            channel: Some(channel),
            kind: Some(kind),
            body: self.body.as_ref().map(fill).transpose()?,
            subject: self.subject.as_ref().map(fill).transpose()?,
            template,
            from: self.from.clone(),
            country: self.country.clone(),
            ttl: self.ttl.clone(),
            metadata: (!self.metadata.is_empty()).then(|| self.metadata.clone()),
            ..SendBody::default()
        })
    }

    /// The text as it would be with every placeholder filled by its own name: to check it before there are contacts.
    pub fn sample(&self, to: &str, terms: (Channel, Kind)) -> Result<SendBody> {
        let mut own = Own::default();
        for text in self.body.iter().chain(&self.subject) {
            for name in placeholders(text)? {
                own.params.insert(String::from(name), String::from(name));
            }
        }
        self.to(to, &own, terms)
    }

    /// Sealed for the row of `id`.
    pub fn seal(&self, keyring: &Keyring, id: BroadcastId) -> Result<Vec<u8>> {
        seal(keyring, id.as_str(), self)
    }

    /// Opens what `seal` made.
    pub fn open(keyring: &Keyring, id: BroadcastId, sealed: &[u8]) -> Result<Said> {
        open(keyring, id.as_str(), sealed)
    }
}

impl Own {
    /// Sealed for the contact `recipient` of `id`; nothing where there is nothing.
    pub fn seal(&self, keyring: &Keyring, id: BroadcastId, recipient: &str) -> Result<Option<Vec<u8>>> {
        if self.is_empty() { Ok(None) } else { seal(keyring, &format!("{id}/{recipient}"), self).map(Some) }
    }

    /// Opens what `seal` made.
    pub fn open(keyring: &Keyring, id: BroadcastId, recipient: &str, sealed: Option<&[u8]>) -> Result<Own> {
        sealed.map_or(Ok(Own::default()), |sealed| open(keyring, &format!("{id}/{recipient}"), sealed))
    }
}

fn seal(keyring: &Keyring, context: &str, words: &impl Serialize) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(words).map_err(Error::internal)?;
    Ok(keyring.seal(Purpose::Body, context.as_bytes(), &plain))
}

fn open<T: serde::de::DeserializeOwned>(keyring: &Keyring, context: &str, sealed: &[u8]) -> Result<T> {
    let plain = keyring
        .open(Purpose::Body, context.as_bytes(), sealed)
        .ok_or_else(|| Error::internal("a broadcast does not open: was it sealed under another secret key?"))?;
    // Not the parser's words: they may quote the text.
    serde_json::from_slice(&plain).map_err(|_| Error::internal("a sealed broadcast cannot be read"))
}

/// A part of a text.
enum Piece<'a> {
    Plain(&'a str),
    Place(&'a str),
}

/// The text's parts. Error: `validation_failed` on `body` where a brace stands alone or encloses no name.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(stray_brace)?;
        let is_name = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || before.contains('}') {
            return Err(stray_brace());
        }
        found.extend([Piece::Plain(before), Piece::Place(name)]);
        rest = tail;
    }
    if rest.contains('}') {
        return Err(stray_brace());
    }
    found.push(Piece::Plain(rest));
    Ok(found)
}

fn stray_brace() -> Error {
    Error::field("body", "has a brace that is no placeholder; those look like {name}: letters, digits and _")
}

fn placeholders(text: &str) -> Result<Vec<&str>> {
    let pieces = pieces(text)?;
    let names = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Place(name) => Some(name),
        Piece::Plain(_) => None,
    });
    Ok(names.collect())
}

/// Values are put in as they are and never read again, so a brace in a value does nothing.
fn fill<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> Result<String> {
    let mut out = String::with_capacity(text.len() + 32);
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Place(name) => out.push_str(value(name).ok_or_else(|| {
                Error::field(format!("params.{name}"), "is missing: the text has a place for it; give it a value")
            })?),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn said(body: &str) -> Said {
        let params = [(String::from("shop"), String::from("ACME"))].into();
        Said { body: Some(body.into()), params, ..Said::default() }
    }

    fn own(name: &str) -> Own {
        Own { params: [(String::from("name"), name.into())].into(), locale: None }
    }

    const TERMS: (Channel, Kind) = (Channel::Sms, Kind::Marketing);

    #[test]
    fn a_contact_s_own_values_come_first_and_are_not_read_again() {
        let text = |own: &Own| said("Hi {name}, {shop}").to("+447400123456", own, TERMS).map(|body| body.body.unwrap());
        assert_eq!(text(&own("{shop}")).unwrap(), "Hi {shop}, ACME");
        let mut renamed = own("Ann");
        renamed.params.insert("shop".into(), "Bob's".into());
        assert_eq!(text(&renamed).unwrap(), "Hi Ann, Bob's");
        assert!(text(&Own::default()).err().unwrap().fields().contains_key("params.name"));
    }

    #[test]
    fn a_brace_that_is_no_placeholder_is_told_at_once() {
        for bad in ["{", "}", "a } {name}", "{}", "{two words}", "{a{b}}"] {
            assert!(said(bad).sample("+447400123456", TERMS).is_err(), "{bad}");
        }
        let sample = said("Hi {name}").sample("+447400123456", TERMS).unwrap();
        assert_eq!(sample.body.as_deref(), Some("Hi name"));
    }

    #[test]
    fn words_are_sealed_for_their_row() {
        let (ring, id) = (Keyring::new([7; 32]), BroadcastId::new(Millis(1)));
        let sealed = own("Ann").seal(&ring, id, "+447400123456").unwrap().unwrap();
        assert!(Own::open(&ring, id, "+447400123456", Some(&sealed)).unwrap() == own("Ann"));
        assert!(Own::open(&ring, id, "+447400123457", Some(&sealed)).is_err());
        assert!(Own::default().seal(&ring, id, "+447400123456").unwrap().is_none());
    }
}
