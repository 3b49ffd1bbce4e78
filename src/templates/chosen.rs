//! A template that was chosen for a message: what goes with the message from then on, whatever becomes of the template.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::params::{Defaults, app_fault, cleaned, code_fault, minutes_fault, whole_minutes};
use super::slots::{filled, numbered};
use super::words::{OWN_SLOTS, Words, is_metas_text, value_fault};
use super::{Locale, Params, Rendered, TemplateName, render};
use crate::error::{Code, Error, Result};
use crate::ids::TemplateId;
use crate::otp::Otp;
use crate::providers::{TemplateCall, TemplateCategory};
use crate::terms::{Channel, Kind};

/// What fills a template. No Debug: it holds a code.
pub struct Values(BTreeMap<String, String>);

/// An approved version, as it is sealed into the message that it was chosen for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The template.
    pub template: TemplateId,
    /// The version.
    pub version: i32,
    /// On this channel.
    pub channel: Channel,
    /// In this language.
    pub locale: String,
    /// What for.
    pub category: TemplateCategory,
    /// What it says.
    pub words: Words,
    /// Its name at the carrier that reviewed it; none where an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl Values {
    /// For a code made here.
    pub fn of_code(code: &Otp, defaults: Defaults<'_>) -> Values {
        let values = [
            ("code", code.expose().to_owned()),
            ("app", cleaned(defaults.app)),
            ("minutes", whole_minutes(defaults.valid).to_string()),
        ];
        Values(values.into_iter().map(|(name, value)| (String::from(name), value)).collect())
    }

    /// For what a message brings: each name that one of `chosen` uses, and no other. `app` and `minutes` may be left out.
    /// Error: every fault at once, each under `template.params.<name>`.
    pub fn read(chosen: &[Chosen], given: &BTreeMap<String, String>, defaults: Defaults<'_>) -> Result<Values> {
        let needed: BTreeSet<&str> = chosen.iter().flat_map(Chosen::slots).collect();
        let mut values = BTreeMap::from([
            (String::from("app"), cleaned(defaults.app)),
            (String::from("minutes"), whole_minutes(defaults.valid).to_string()),
        ]);
        let mut error = Error::new(Code::ValidationFailed);
        for (name, value) in given {
            let field = format!("template.params.{name}");
            if !needed.contains(name.as_str()) && !OWN_SLOTS.contains(&name.as_str()) {
                let names = needed.iter().copied().collect::<Vec<_>>().join(", ");
                error =
                    error.and_field("template.params", format!("has a name that the template lacks; it takes {names}"));
                continue;
            }
            let fault = match name.as_str() {
                "code" => code_fault(value),
                "app" => app_fault(value),
                "minutes" => minutes_fault(value),
                _ => value_fault(value),
            };
            error = fault.into_iter().fold(error, |error, why| error.and_field(&*field, why));
            values.insert(name.clone(), value.clone());
        }
        for name in needed.iter().filter(|name| !values.contains_key(**name)) {
            error = error.and_field(format!("template.params.{name}"), "is required: the template uses it");
        }
        if error.has_fields() { Err(error) } else { Ok(Values(values)) }
    }

    /// For a preview: what the examples say.
    pub fn of_examples(words: &Words, app: &str) -> Values {
        let own = [("code", "481516"), ("app", app), ("minutes", "10")];
        let own = own.into_iter().map(|(name, value)| (String::from(name), String::from(value)));
        Values(own.chain(words.examples.clone()).collect())
    }

    fn get(&self, name: &str) -> Result<String> {
        self.0.get(name).cloned().ok_or_else(|| Error::internal("a value is missing"))
    }

    /// The values themselves, to fill a text with.
    pub(super) fn map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl Chosen {
    /// The names that it uses; Meta's own text of a code has the code.
    pub fn slots(&self) -> BTreeSet<&str> {
        match is_metas_text(self.channel, self.category) {
            true => BTreeSet::from(["code"]),
            false => self.words.slots(),
        }
    }

    /// Whether a code made here fills it.
    pub fn takes_code(&self) -> bool {
        let slots = self.slots();
        slots.contains("code") && slots.iter().all(|name| OWN_SLOTS.contains(name))
    }

    /// What keeps a message of `kind` from going by it: what is marketing must say so, since opt-outs ask.
    pub fn kind_fault(&self, kind: Kind) -> Option<&'static str> {
        let is_marketing = self.category == TemplateCategory::Marketing;
        (is_marketing && kind != Kind::Marketing).then_some("must be marketing, as the template's category is")
    }

    /// What the handset will show. Of a code on WhatsApp only Meta knows the words: the built-in text stands for them.
    pub fn render(&self, values: &Values) -> Result<Rendered> {
        let Some(body) = self.words.body.as_deref() else {
            let given = ["code", "minutes"];
            let given = given.into_iter().filter_map(|name| Some((String::from(name), values.0.get(name)?.clone())));
            // The name is the organization's or was checked: it is not a parameter to be checked again.
            let app = values.get("app")?;
            let defaults = Defaults { app: &app, valid: std::time::Duration::from_secs(600) };
            let params = Params::read(&given.collect(), defaults)?;
            let locale = Locale::parse("template.locale", &self.locale)?;
            return render(TemplateName::Verification, self.channel, locale, &params);
        };
        let subject = self.words.subject.as_deref().map(|subject| filled(subject, &values.0)).transpose()?;
        let text = filled(body, &values.0)?;
        let text = match &self.words.footer {
            Some(footer) => format!("{text}\n\n{footer}"),
            None => text,
        };
        Ok(Rendered { subject, text, html: None })
    }

    /// How it is sent by name, where a carrier has its words.
    pub fn call(&self, values: &Values) -> Result<Option<TemplateCall>> {
        let Some(name) = self.remote.clone() else { return Ok(None) };
        let (body, button) = match self.words.body.as_deref() {
            None => (vec![values.get("code")?], Some(values.get("code")?)),
            Some(body) => {
                let (_, names) = numbered(body)?;
                (names.iter().map(|name| values.get(name)).collect::<Result<Vec<_>>>()?, None)
            }
        };
        Ok(Some(TemplateCall { name, locale: self.locale.clone(), body, button }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Millis;

    const DEFAULTS: Defaults<'_> = Defaults { app: "ACME", valid: Duration::from_secs(600) };

    fn chosen(channel: Channel, category: TemplateCategory, body: Option<&str>) -> Chosen {
        Chosen {
            template: TemplateId::new(Millis(1_000)),
            version: 1,
            channel,
            locale: String::from("en"),
            category,
            words: Words { body: body.map(String::from), ..Words::default() },
            remote: Some(String::from("login_otp")),
        }
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn missing_unknown_and_bad_values_are_told_by_name_at_once() {
        let one = chosen(Channel::Sms, TemplateCategory::Utility, Some("{{city}} {{code}} {{app}} {{minutes}}"));
        let faults = |pairs: &[(&str, &str)]| {
            let fault = Values::read(std::slice::from_ref(&one), &given(pairs), DEFAULTS).err();
            fault.map(|error| error.fields().keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        assert!(faults(&[("city", "Oslo"), ("code", "481516")]).is_empty());
        assert_eq!(faults(&[]), ["template.params.city", "template.params.code"]);
        let bad = [("city", "a\nb"), ("code", "x"), ("minutes", "0"), ("street", "y"), ("app", "www.evil.example")];
        let expected = [
            "template.params",
            "template.params.app",
            "template.params.city",
            "template.params.code",
            "template.params.minutes",
        ];
        assert_eq!(faults(&bad), expected);
    }

    #[test]
    fn a_text_goes_to_the_carrier_as_values_in_their_order() {
        let one = chosen(Channel::Whatsapp, TemplateCategory::Utility, Some("In {{city}}, {{app}} says {{city2}}!"));
        let values = given(&[("city", "Oslo"), ("city2", "Rome")]);
        let values = Values::read(std::slice::from_ref(&one), &values, DEFAULTS).unwrap();
        let call = one.call(&values).unwrap().unwrap();
        assert_eq!((call.body, call.button), (vec!["Oslo".into(), "ACME".into(), "Rome".into()], None));
        assert_eq!(one.render(&values).unwrap().text, "In Oslo, ACME says Rome!");
    }

    #[test]
    fn a_code_on_whatsapp_stands_in_the_text_and_on_the_button() {
        let one = chosen(Channel::Whatsapp, TemplateCategory::Authentication, None);
        let values = Values::read(std::slice::from_ref(&one), &given(&[("code", "481516")]), DEFAULTS).unwrap();
        let call = one.call(&values).unwrap().unwrap();
        assert_eq!((call.body, call.button.as_deref()), (vec!["481516".into()], Some("481516")));
        assert!(one.render(&values).unwrap().text.contains("481516"));
        assert!(one.takes_code());
    }

    #[test]
    fn an_organization_may_have_digits_in_its_name() {
        let one = chosen(Channel::Whatsapp, TemplateCategory::Authentication, None);
        let defaults = Defaults { app: "Shop 2024", ..DEFAULTS };
        let values = Values::read(std::slice::from_ref(&one), &given(&[("code", "481516")]), defaults).unwrap();
        assert!(one.render(&values).unwrap().text.contains("Shop 2024"));
    }

    #[test]
    fn marketing_says_so() {
        let one = chosen(Channel::Sms, TemplateCategory::Marketing, Some("x"));
        assert!(one.kind_fault(Kind::Otp).is_some() && one.kind_fault(Kind::Transactional).is_some());
        assert!(one.kind_fault(Kind::Marketing).is_none());
    }
}
