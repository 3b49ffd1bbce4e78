//! What a version of a template says, and whether it may: every fault of it at once. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::slots::{Rules, faults, names_in};
use crate::error::{Code, Error, Result};
use crate::providers::{ButtonKind, CodeButton, TemplateCategory};
use crate::terms::Channel;

/// Longest body of an SMS, characters: ten segments of plain text.
const SMS_MAX: usize = 1_530;
/// Longest body of a mail, characters.
const EMAIL_MAX: usize = 50_000;
/// Longest body and footer on WhatsApp.
/// Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components>.
const WHATSAPP_MAX: usize = 1_024;
const FOOTER_MAX: usize = 60;
/// Longest words of a button, there too.
const BUTTON_MAX: usize = 25;
const SUBJECT_MAX: usize = 200;
/// Longest value of a parameter and longest example, characters.
pub const VALUE_MAX: usize = 200;
/// Most examples.
const EXAMPLES_MAX: usize = 10;
/// What every template may use, and what fills it where a message says nothing else.
pub const OWN_SLOTS: [&str; 3] = ["code", "app", "minutes"];

/// What a version says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The subject of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text with its `{{placeholders}}`; none on WhatsApp for codes, where Meta writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The small line below, on WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// An example for each placeholder but `code`, `app` and `minutes`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub examples: BTreeMap<String, String>,
    /// How a code is taken over, on WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<CodeButton>,
    /// Whether Meta's text says not to share the code.
    #[serde(default)]
    pub security_recommendation: bool,
    /// For how many minutes Meta's text says that the code is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_minutes: Option<u8>,
}

/// Whether Meta writes the text itself: a code on WhatsApp.
pub fn is_metas_text(channel: Channel, category: TemplateCategory) -> bool {
    channel == Channel::Whatsapp && category == TemplateCategory::Authentication
}

impl Words {
    /// The same, checked for its channel and category. Error: `validation_failed` with every fault by field.
    pub fn checked(mut self, channel: Channel, category: TemplateCategory) -> Result<Words> {
        let mut faults = Vec::new();
        if is_metas_text(channel, category) {
            let absent = [
                ("body", self.body.is_some()),
                ("footer", self.footer.is_some()),
                ("examples", !self.examples.is_empty()),
            ];
            let said = absent.into_iter().filter(|(_, is_said)| *is_said);
            faults.extend(
                said.map(|(field, _)| (field, String::from("must be left out: Meta writes the text of a code itself"))),
            );
            let plain = || CodeButton {
                kind: ButtonKind::CopyCode,
                text: None,
                autofill_text: None,
                apps: Vec::new(),
                zero_tap_terms_accepted: false,
            };
            let button = self.button.get_or_insert_with(plain);
            faults.extend(button_faults(button));
            if self.expiry_minutes.is_some_and(|minutes| !(1..=90).contains(&minutes)) {
                faults.push(("expiry_minutes", String::from("must be 1 to 90")));
            }
        } else {
            let absent = [
                ("button", self.button.is_some()),
                ("security_recommendation", self.security_recommendation),
                ("expiry_minutes", self.expiry_minutes.is_some()),
            ];
            let said = absent.into_iter().filter(|(_, is_said)| *is_said);
            faults.extend(said.map(|(field, _)| (field, String::from("belongs to codes on WhatsApp only"))));
            faults.extend(self.text_faults(channel, category));
        }
        faults.extend(self.subject_faults(channel));
        let error = faults
            .into_iter()
            .fold(Error::new(Code::ValidationFailed), |error, (field, why)| error.and_field(field, why));
        if error.has_fields() { Err(error) } else { Ok(self) }
    }

    /// The names that its texts use, each once.
    pub fn slots(&self) -> BTreeSet<&str> {
        let texts = [self.body.as_deref(), self.subject.as_deref()];
        texts.into_iter().flatten().flat_map(names_in).collect()
    }

    fn text_faults(&self, channel: Channel, category: TemplateCategory) -> Vec<(&'static str, String)> {
        let Some(body) = self.body.as_deref() else {
            return vec![("body", String::from("is required: the text with its {{placeholders}}"))];
        };
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let max = match channel {
            Channel::Sms => SMS_MAX,
            Channel::Whatsapp => WHATSAPP_MAX,
            Channel::Email => EMAIL_MAX,
        };
        found.extend(line_fault(body, max, true).map(|why| ("body", why)));
        let known = OWN_SLOTS.into_iter().chain(self.examples.keys().map(String::as_str)).collect();
        let is_meta = channel == Channel::Whatsapp;
        let rules = Rules { known: &known, is_code: category == TemplateCategory::Authentication, is_meta };
        found.extend(faults(body, rules).into_iter().map(|why| ("body", why)));
        let used = self.slots();
        for (name, example) in &self.examples {
            if !used.contains(name.as_str()) {
                found.push(("examples", format!("has {name}, which no text uses")));
            }
            found.extend(value_fault(example).map(|why| ("examples", format!("has {name}, which {why}"))));
        }
        if self.examples.len() > EXAMPLES_MAX {
            found.push(("examples", format!("takes at most {EXAMPLES_MAX} entries")));
        }
        if let Some(footer) = self.footer.as_deref() {
            if channel != Channel::Whatsapp {
                found.push(("footer", String::from("belongs to WhatsApp only")));
            } else if footer.contains("{{") {
                found.push(("footer", String::from("takes no placeholders")));
            }
            found.extend(line_fault(footer, FOOTER_MAX, false).map(|why| ("footer", why)));
        }
        found
    }

    fn subject_faults(&self, channel: Channel) -> Vec<(&'static str, String)> {
        let subject = match (channel, self.subject.as_deref()) {
            (Channel::Email, Some(subject)) => subject,
            (Channel::Email, None) => return vec![("subject", String::from("is required for mail"))],
            (_, Some(_)) => return vec![("subject", String::from("belongs to mail only"))],
            (_, None) => return Vec::new(),
        };
        let known = OWN_SLOTS.into_iter().chain(self.examples.keys().map(String::as_str)).collect();
        let mut found = faults(subject, Rules { known: &known, is_code: false, is_meta: false });
        if names_in(subject).contains(&"code") {
            found.push(String::from("must not hold {{code}}: lists and lock screens show it"));
        }
        found.extend(line_fault(subject, SUBJECT_MAX, false));
        found.into_iter().map(|why| ("subject", why)).collect()
    }
}

fn button_faults(button: &CodeButton) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for text in [&button.text, &button.autofill_text].into_iter().flatten() {
        found.extend(line_fault(text, BUTTON_MAX, false));
    }
    let needs_apps = button.kind != ButtonKind::CopyCode;
    if needs_apps && !(1..=5).contains(&button.apps.len()) {
        found.push(format!("of the type {} needs 1 to 5 apps", button.kind));
    }
    if !needs_apps && (!button.apps.is_empty() || button.autofill_text.is_some()) {
        found.push(String::from("of the type copy_code takes no apps and no autofill_text"));
    }
    if (button.kind == ButtonKind::ZeroTap) != button.zero_tap_terms_accepted {
        found.push(String::from("must have zero_tap_terms_accepted for zero_tap, and only there"));
    }
    if button.apps.iter().any(|app| !is_package(&app.package_name)) {
        found.push(String::from("has a package_name that is no Android package, e.g. com.example.app"));
    }
    if button.apps.iter().any(|app| crate::text::AppHash::parse(&app.signature_hash).is_err()) {
        found.push(String::from("has a signature_hash that is not 11 characters of base64"));
    }
    found.into_iter().map(|why| ("button", why)).collect()
}

/// Two or more segments of letters, digits and underscores, each beginning with a letter.
/// Source: <https://developer.android.com/build/configure-app-module#set-application-id>.
fn is_package(name: &str) -> bool {
    let is_segment = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    name.len() <= 224 && name.split('.').count() >= 2 && name.split('.').all(is_segment)
}

fn line_fault(text: &str, max: usize, takes_breaks: bool) -> Option<String> {
    let is_odd = |c: char| c.is_control() && !(takes_breaks && matches!(c, '\n' | '\r' | '\t'));
    if text.trim().is_empty() || text.chars().count() > max {
        Some(format!("must have 1 to {max} characters"))
    } else if text.chars().any(is_odd) {
        Some(String::from("must not contain control characters"))
    } else {
        None
    }
}

/// What is wrong with a value that fills a placeholder. Meta takes no line breaks, tabs or wide gaps in one, and a value
/// that brings its own lines could pass for another message on any channel.
pub fn value_fault(value: &str) -> Option<&'static str> {
    if value.trim().is_empty() || value.chars().count() > VALUE_MAX {
        Some("must have 1 to 200 characters")
    } else if value.chars().any(char::is_control) || value.contains("    ") {
        Some("must be one line without tabs or four blanks in a row")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::SignedApp;

    fn text(body: &str) -> Words {
        Words { body: Some(String::from(body)), ..Words::default() }
    }

    fn fields(words: Words, channel: Channel, category: TemplateCategory) -> Vec<String> {
        let fault = words.checked(channel, category).err();
        fault.map(|error| error.fields().keys().cloned().collect()).unwrap_or_default()
    }

    #[test]
    fn a_text_is_checked_for_its_channel() {
        use TemplateCategory::{Authentication, Marketing, Utility};
        let city = |body: &str| Words { examples: [("city".into(), "Oslo".into())].into(), ..text(body) };
        let mail = |subject: &str| Words { subject: Some(subject.into()), ..text("Your code: {{code}}") };
        for (words, channel, category, expected) in [
            (text("{{code}} is your code"), Channel::Sms, Authentication, vec![]),
            (text("{{code}} is your code"), Channel::Whatsapp, Utility, vec!["body"]),
            (text("No code"), Channel::Sms, Authentication, vec!["body"]),
            (text("No code"), Channel::Sms, Marketing, vec![]),
            (Words::default(), Channel::Sms, Utility, vec!["body"]),
            (text("Hi {{city}}!"), Channel::Sms, Utility, vec!["body"]),
            (city("Hi {{city}}!"), Channel::Sms, Utility, vec![]),
            (city("Hi!"), Channel::Sms, Utility, vec!["examples"]),
            (text("a\u{7}b"), Channel::Sms, Utility, vec!["body"]),
            (text(&"x".repeat(1_025)), Channel::Whatsapp, Utility, vec!["body"]),
            (text(&"x".repeat(1_025)), Channel::Sms, Utility, vec![]),
            (text("x {{code}}"), Channel::Email, Authentication, vec!["subject"]),
            (mail("Code for {{app}}"), Channel::Email, Authentication, vec![]),
            (mail("{{code}}"), Channel::Email, Authentication, vec!["subject"]),
            (mail("Code"), Channel::Sms, Authentication, vec!["subject"]),
            (Words { footer: Some("f".into()), ..text("x") }, Channel::Sms, Utility, vec!["footer"]),
            (Words { footer: Some("f".into()), ..text("x") }, Channel::Whatsapp, Utility, vec![]),
            (Words { footer: Some("{{app}}".into()), ..text("x") }, Channel::Whatsapp, Utility, vec!["footer"]),
            (Words { expiry_minutes: Some(5), ..text("x") }, Channel::Sms, Utility, vec!["expiry_minutes"]),
            (text("x"), Channel::Whatsapp, Authentication, vec!["body"]),
            (
                Words { expiry_minutes: Some(91), ..Words::default() },
                Channel::Whatsapp,
                Authentication,
                vec!["expiry_minutes"],
            ),
            (Words::default(), Channel::Whatsapp, Authentication, vec![]),
        ] {
            assert_eq!(fields(words.clone(), channel, category), expected, "{words:?} {channel} {category}");
        }
    }

    #[test]
    fn a_button_needs_what_its_type_needs() {
        let app = SignedApp { package_name: "com.example.app".into(), signature_hash: "K8a/AINcGX7".into() };
        let button = |kind, apps: &[&SignedApp], zero_tap_terms_accepted| {
            let apps = apps.iter().map(|app| (*app).clone()).collect();
            let button = CodeButton { kind, text: None, autofill_text: None, apps, zero_tap_terms_accepted };
            fields(
                Words { button: Some(button), ..Words::default() },
                Channel::Whatsapp,
                TemplateCategory::Authentication,
            )
        };
        let odd = SignedApp { package_name: "app".into(), ..app.clone() };
        let short = SignedApp { signature_hash: "K8a".into(), ..app.clone() };
        assert!(button(ButtonKind::CopyCode, &[], false).is_empty());
        assert!(button(ButtonKind::OneTap, &[&app], false).is_empty());
        assert!(button(ButtonKind::ZeroTap, &[&app], true).is_empty());
        for (kind, apps, terms) in [
            (ButtonKind::CopyCode, vec![&app], false),
            (ButtonKind::OneTap, vec![], false),
            (ButtonKind::OneTap, vec![&app; 6], false),
            (ButtonKind::OneTap, vec![&odd], false),
            (ButtonKind::OneTap, vec![&short], false),
            (ButtonKind::ZeroTap, vec![&app], false),
            (ButtonKind::CopyCode, vec![], true),
        ] {
            assert_eq!(button(kind, &apps, terms), ["button"], "{kind} {apps:?}");
        }
    }
}
