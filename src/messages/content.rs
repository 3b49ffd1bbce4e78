//! What a message says: sealed at rest, rendered for the channel of each hand-off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::new::Words;
use crate::accounts::Caller;
use crate::error::{Error, Result};
use crate::ids::{MessageId, OrgId, VerificationId};
use crate::otp::{CodeLength, CodeSeed, Otp, derive};
use crate::secret::{Keyring, Purpose};
use crate::templates::{CodeText, Defaults, Locale, Params, Rendered, TemplateName, render, verification_text};
use crate::terms::Channel;
use crate::text::{AppHash, Host};

/// What a message says. No Debug: it may hold a code.
#[derive(Clone, Serialize, Deserialize)]
pub enum Content {
    /// The caller's own words.
    Text {
        /// The text.
        text: String,
        /// For mail.
        subject: Option<String>,
    },
    /// A template that the caller filled in.
    Template {
        /// Its name.
        name: TemplateName,
        /// The reader's language.
        locale: String,
        /// The caller's parameters.
        params: BTreeMap<String, String>,
        /// The organization's name.
        app: String,
        /// Life of the code, seconds.
        valid_s: u64,
    },
    /// The code of a verification: derived anew at each hand-off, stored nowhere.
    Code(CodeSpec),
}

/// What it takes to say a verification's code.
#[derive(Clone, Serialize, Deserialize)]
pub struct CodeSpec {
    /// The verification.
    pub verification: VerificationId,
    /// Which of its codes.
    pub attempt: u32,
    /// Digits.
    pub digits: u8,
    /// Whom it was derived for.
    pub destination: String,
    /// The template's name.
    pub template: TemplateName,
    /// The reader's language.
    pub locale: String,
    /// The organization's name.
    pub app: String,
    /// Life of the code, seconds.
    pub valid_s: u64,
    /// WebOTP.
    pub web_origin: Option<String>,
    /// SMS Retriever.
    pub app_hash: Option<String>,
}

impl Content {
    /// The content of a request; checks a template's name, language and parameters.
    pub fn of(words: &Words, caller: &Caller, valid: Duration) -> Result<Content> {
        match words {
            Words::Text { text, subject } => Ok(Content::Text { text: text.clone(), subject: subject.clone() }),
            Words::Template(wanted) => {
                let locale = wanted.locale.as_deref().unwrap_or(&caller.org.locale);
                Ok(Content::Template {
                    name: TemplateName::read("template.name", &wanted.name)?,
                    locale: String::from(Locale::parse("template.locale", locale)?.as_str()),
                    params: wanted.params.clone(),
                    app: caller.org.name.clone(),
                    valid_s: valid.as_secs(),
                })
            }
        }
    }

    /// The words for `channel`.
    pub fn render(&self, channel: Channel, org: OrgId, keyring: &Keyring) -> Result<Rendered> {
        match self {
            Content::Text { text, subject } => Ok(plain(channel, text, subject.as_deref())),
            Content::Template { name, locale, params, app, valid_s } => {
                let defaults = Defaults { app, valid: Duration::from_secs(*valid_s) };
                let params = Params::read(params, defaults)?;
                render(*name, channel, Locale::parse("template.locale", locale)?, &params)
            }
            Content::Code(spec) => spec.render(channel, org, keyring),
        }
    }

    /// The code it says, where it is known to say one.
    pub fn code(&self, org: OrgId, keyring: &Keyring) -> Result<Option<String>> {
        match self {
            Content::Text { .. } => Ok(None),
            Content::Template { params, .. } => Ok(params.get("code").cloned()),
            Content::Code(spec) => Ok(Some(String::from(spec.code(org, keyring)?.expose()))),
        }
    }

    /// The template's name, where there is one.
    pub fn template(&self) -> Option<TemplateName> {
        match self {
            Content::Text { .. } => None,
            Content::Template { name, .. } => Some(*name),
            Content::Code(spec) => Some(spec.template),
        }
    }

    /// Seals this for the row of `id`.
    pub fn seal(&self, keyring: &Keyring, id: MessageId) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(keyring.seal(Purpose::Body, id.as_str().as_bytes(), &plain))
    }

    /// Opens what `seal` made.
    pub fn open(keyring: &Keyring, id: MessageId, sealed: &[u8]) -> Result<Content> {
        let plain = keyring
            .open(Purpose::Body, id.as_str().as_bytes(), sealed)
            .ok_or_else(|| Error::internal("a body does not open: was it sealed under another secret key?"))?;
        // Not the parser's words: they may quote the text.
        serde_json::from_slice(&plain).map_err(|_| Error::internal("a sealed body cannot be read"))
    }
}

impl CodeSpec {
    fn code(&self, org: OrgId, keyring: &Keyring) -> Result<Otp> {
        let seed =
            CodeSeed { verification: self.verification, attempt: self.attempt, org, destination: &self.destination };
        let length = CodeLength::new(i64::from(self.digits)).map_err(Error::internal)?;
        Ok(derive(keyring, &seed, length))
    }

    fn render(&self, channel: Channel, org: OrgId, keyring: &Keyring) -> Result<Rendered> {
        let code = self.code(org, keyring)?;
        let defaults = Defaults { app: &self.app, valid: Duration::from_secs(self.valid_s) };
        let origin = self.web_origin.as_deref().map(Host::parse).transpose().map_err(Error::internal)?;
        let app_hash = self.app_hash.as_deref().map(AppHash::parse).transpose().map_err(Error::internal)?;
        verification_text(&CodeText {
            template: self.template,
            channel,
            locale: Locale::parse("locale", &self.locale)?,
            params: &Params::new(&code, defaults),
            origin: origin.as_ref(),
            app_hash: app_hash.as_ref(),
        })
    }
}

fn plain(channel: Channel, text: &str, subject: Option<&str>) -> Rendered {
    let subject = (channel == Channel::Email).then(|| String::from(subject.unwrap_or("Message")));
    Rendered { subject, text: String::from(text), html: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    #[test]
    fn the_code_of_a_verification_is_the_one_its_text_says() {
        let (keyring, org) = (Keyring::new([7; 32]), OrgId::new(Millis(1_000)));
        let spec = CodeSpec {
            verification: VerificationId::new(Millis(1_000)),
            attempt: 1,
            digits: 6,
            destination: String::from("+447700900123"),
            template: TemplateName::Login,
            locale: String::from("en"),
            app: String::from("ACME"),
            valid_s: 300,
            web_origin: None,
            app_hash: None,
        };
        let content = Content::Code(spec);
        let code = content.code(org, &keyring).unwrap().unwrap();
        let text = content.render(Channel::Sms, org, &keyring).unwrap().text;
        assert!(code.len() == 6 && text.contains(&code), "{text}");
        let plain = Content::Text { text, subject: None };
        assert_eq!(plain.code(org, &keyring).unwrap(), None, "a text is not searched for one");
    }
}
