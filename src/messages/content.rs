//! What a message says: sealed at rest, rendered for the channel of each hand-off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::{MessageId, OrgId, VerificationId};
use crate::otp::{CodeLength, CodeSeed, Otp, derive};
use crate::providers::TemplateCall;
use crate::secret::{Keyring, Purpose};
use crate::templates::{
    Chosen, CodeText, Defaults, Locale, Params, Rendered, TemplateName, Values, render, verification_text,
    with_phone_forms,
};
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
    /// The organization's own templates, as they were chosen for each channel of the message, filled in by the caller.
    Own(OwnContent),
    /// The code of a verification: derived anew at each hand-off, stored nowhere.
    Code(CodeSpec),
}

/// A message by the organization's own templates.
#[derive(Clone, Serialize, Deserialize)]
pub struct OwnContent {
    /// Their name.
    pub name: String,
    /// One for each channel that has one.
    pub chosen: Vec<Chosen>,
    /// The built-in text of that name, for a channel without: with the reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<(TemplateName, String)>,
    /// The caller's parameters.
    pub params: BTreeMap<String, String>,
    /// The organization's name.
    pub app: String,
    /// Life of the code, seconds.
    pub valid_s: u64,
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
    /// The organization's own template, in the place of the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Box<Chosen>>,
}

impl Content {
    /// The words for `channel`.
    pub fn render(&self, channel: Channel, org: OrgId, keyring: &Keyring) -> Result<Rendered> {
        match self {
            Content::Text { text, subject } => Ok(plain(channel, text, subject.as_deref())),
            Content::Template { name, locale, params, app, valid_s } => {
                let defaults = Defaults { app, valid: Duration::from_secs(*valid_s) };
                let params = Params::read(params, defaults)?;
                render(*name, channel, Locale::parse("template.locale", locale)?, &params)
            }
            Content::Own(own) => own.render(channel),
            Content::Code(spec) => spec.render(channel, org, keyring),
        }
    }

    /// The template to send by name, where the carrier of `channel` has its words.
    pub fn call(&self, channel: Channel, org: OrgId, keyring: &Keyring) -> Result<Option<TemplateCall>> {
        match self {
            Content::Text { .. } | Content::Template { .. } => Ok(None),
            Content::Own(own) => match own.of(channel) {
                Some(chosen) => chosen.call(&own.values(chosen)?),
                None => Ok(None),
            },
            Content::Code(spec) => match &spec.own {
                Some(chosen) => chosen.call(&spec.values(&spec.code(org, keyring)?)),
                None => Ok(None),
            },
        }
    }

    /// The code it says, where it is known to say one.
    pub fn code(&self, org: OrgId, keyring: &Keyring) -> Result<Option<String>> {
        match self {
            Content::Text { .. } => Ok(None),
            Content::Template { params, .. } | Content::Own(OwnContent { params, .. }) => {
                Ok(params.get("code").cloned())
            }
            Content::Code(spec) => Ok(Some(String::from(spec.code(org, keyring)?.expose()))),
        }
    }

    /// The template's name, where there is one.
    pub fn template(&self) -> Option<&str> {
        match self {
            Content::Text { .. } => None,
            Content::Template { name, .. } => Some(name.as_str()),
            Content::Own(own) => Some(&own.name),
            Content::Code(spec) => Some(spec.template.as_str()),
        }
    }

    /// The name and language of its template at the carrier that reviewed it, where one did.
    pub fn remote(&self) -> Option<(String, String)> {
        let chosen = match self {
            Content::Text { .. } | Content::Template { .. } => None,
            Content::Own(own) => own.chosen.iter().find(|chosen| chosen.remote.is_some()),
            Content::Code(spec) => spec.own.as_deref(),
        }?;
        Some((chosen.remote.clone()?, chosen.locale.clone()))
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

impl OwnContent {
    fn of(&self, channel: Channel) -> Option<&Chosen> {
        self.chosen.iter().find(|chosen| chosen.channel == channel)
    }

    fn defaults(&self) -> Defaults<'_> {
        Defaults { app: &self.app, valid: Duration::from_secs(self.valid_s) }
    }

    fn values(&self, chosen: &Chosen) -> Result<Values> {
        // What another channel's template uses is none of this one's business.
        let used = chosen.slots();
        let own = self.params.iter().filter(|(name, _)| used.contains(name.as_str()));
        let own = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        Values::read(std::slice::from_ref(chosen), &own, self.defaults())
    }

    fn render(&self, channel: Channel) -> Result<Rendered> {
        if let Some(chosen) = self.of(channel) {
            return chosen.render(&self.values(chosen)?);
        }
        let (name, locale) = self.built_in.as_ref().ok_or_else(|| Error::internal("no text for this channel"))?;
        let known = ["code", "app", "minutes"];
        let own = self.params.iter().filter(|(name, _)| known.contains(&name.as_str()));
        let own = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        render(*name, channel, Locale::parse("template.locale", locale)?, &Params::read(&own, self.defaults())?)
    }
}

impl CodeSpec {
    fn values(&self, code: &Otp) -> Values {
        Values::of_code(code, Defaults { app: &self.app, valid: Duration::from_secs(self.valid_s) })
    }

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
        let text = CodeText {
            template: self.template,
            channel,
            locale: Locale::parse("locale", &self.locale)?,
            params: &Params::new(&code, defaults),
            origin: origin.as_ref(),
            app_hash: app_hash.as_ref(),
        };
        match self.own.as_ref().filter(|own| own.channel == channel) {
            Some(own) => with_phone_forms(own.render(&self.values(&code))?, &text),
            None => verification_text(&text),
        }
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
            own: None,
        };
        let content = Content::Code(spec);
        let code = content.code(org, &keyring).unwrap().unwrap();
        let text = content.render(Channel::Sms, org, &keyring).unwrap().text;
        assert!(code.len() == 6 && text.contains(&code), "{text}");
        let plain = Content::Text { text, subject: None };
        assert_eq!(plain.code(org, &keyring).unwrap(), None, "a text is not searched for one");
    }
}
