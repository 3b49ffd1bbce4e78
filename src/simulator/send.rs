//! A message that Meta is asked to send: checked in Meta's order, counted against Meta's limits. Pure.

use serde_json::{Value, json};

use super::errors::Fault;
use super::fate;
use super::templates::Template;
use super::world::{Place, Sent, World};
use crate::clock::Millis;
use crate::secret::{hex, sha256};

/// The longest text, characters.
const LONGEST_TEXT: usize = 4096;
/// The longest code of an authentication template.
const LONGEST_CODE: usize = 15;

/// What was asked for, once it is understood.
pub struct Asked {
    /// The recipient's digits.
    pub to: String,
    /// `text` or `template`.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// The template and its category.
    pub template: Option<(String, String)>,
    /// `biz_opaque_callback_data`.
    pub reference: Option<String>,
    /// The major version of the API that was called.
    pub version: u32,
}

impl World {
    /// Answers `POST /{version}/{phone_number_id}/messages`.
    ///
    /// # Errors
    /// What Meta would refuse with.
    pub fn send(&mut self, version: &str, body: &Value, now: Millis) -> Result<Value, Fault> {
        if word(body, "/status") == Some("read") {
            return Ok(json!({"success": true}));
        }
        let (input, to) = self.recipient(body)?;
        if let Some(fault) = self.planned(Place::Answer, &to) {
            return Err(fault);
        }
        let asked = self.understand(version, body, to)?;
        self.limits.take(&asked.to, self.settings.per_second, now)?;
        let id = self.next_message_id();
        let user_id = self.user(&asked.to).user_id.clone();
        let is_hidden = self.user(&asked.to).is_hidden;
        self.remember(Sent {
            id: id.clone(),
            to: asked.to.clone(),
            kind: asked.kind.clone(),
            template: asked.template.as_ref().map(|(name, _)| name.clone()),
            text: asked.text.clone(),
            reference: asked.reference.clone(),
            status: String::from("accepted"),
            at: now.0,
        });
        let held = fate::decide(self, &asked, &id, now);
        let mut contact = json!({"input": input, "user_id": user_id});
        let mut message = json!({ "id": id });
        if let (Some(contact), false) = (contact.as_object_mut(), is_hidden) {
            contact.insert(String::from("wa_id"), asked.to.clone().into());
        }
        if let (Some(message), true) = (message.as_object_mut(), asked.template.is_some()) {
            let word = if held { "held_for_quality_assessment" } else { "accepted" };
            message.insert(String::from("message_status"), word.into());
        }
        Ok(json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}))
    }

    /// What was written as the recipient, and whose digits that are.
    fn recipient(&self, body: &Value) -> Result<(String, String), Fault> {
        if word(body, "/messaging_product") != Some("whatsapp") {
            return Err(Fault::because(100, "The parameter messaging_product is required."));
        }
        if let Some(user_id) = word(body, "/recipient") {
            let digits = self.digits_of(user_id).ok_or_else(|| Fault::of(131_026))?;
            return Ok((String::from(user_id), digits));
        }
        let written = word(body, "/to").ok_or_else(|| Fault::because(131_008, "The parameter to is required."))?;
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let odd = written.chars().any(|c| !c.is_ascii_digit() && !"+-() ".contains(c));
        if odd || !(7..=15).contains(&digits.len()) {
            return Err(Fault::because(131_009, "The parameter to is no phone number."));
        }
        if digits == self.settings.display_phone_number {
            return Err(Fault::of(131_021));
        }
        Ok((String::from(written), digits))
    }

    fn understand(&self, version: &str, body: &Value, to: String) -> Result<Asked, Fault> {
        let kind = word(body, "/type").unwrap_or("text");
        let (text, template) = match kind {
            "text" => (text_of(body)?, None),
            "template" => {
                let (template, code) = self.template_of(body)?;
                let by_user_id = body.get("recipient").is_some();
                if template.category == "AUTHENTICATION" && by_user_id {
                    let details = "Business-scoped user ID recipients are not supported for this message.";
                    return Err(Fault::because(131_062, details));
                }
                (code, Some((template.name.clone(), template.category.clone())))
            }
            _ => return Err(Fault::of(131_051)),
        };
        Ok(Asked {
            to,
            kind: String::from(kind),
            text,
            template,
            reference: word(body, "/biz_opaque_callback_data").map(String::from),
            version: version
                .trim_start_matches('v')
                .split('.')
                .next()
                .and_then(|major| major.parse().ok())
                .unwrap_or(25),
        })
    }

    /// The template that is asked for, which must be approved and get its parameters, and the first of them.
    fn template_of(&self, body: &Value) -> Result<(&Template, String), Fault> {
        let missing = |what: &str| Fault::because(131_008, format!("The parameter template.{what} is required."));
        let name = word(body, "/template/name").ok_or_else(|| missing("name"))?;
        let language = word(body, "/template/language/code").ok_or_else(|| missing("language.code"))?;
        let found = self.templates.iter().find(|one| one.name == name && one.language == language);
        let unknown = || Fault::because(132_001, format!("template name ({name}) does not exist in {language}"));
        let template = found.ok_or_else(unknown)?;
        match template.status.as_str() {
            "APPROVED" => {}
            "PAUSED" => {
                let details = "Template is paused due to low quality so it cannot be sent in a template message.";
                return Err(Fault::because(132_015, details));
            }
            "DISABLED" => return Err(Fault::of(132_016)),
            _ => return Err(unknown()),
        }
        let parameters = parameters(body, "body");
        let wanted = template.parameters();
        if parameters.len() != wanted {
            let details = format!(
                "body: number of localizable_params ({}) does not match the expected number of params ({wanted})",
                parameters.len()
            );
            return Err(Fault::because(132_000, details));
        }
        if template.category == "AUTHENTICATION" {
            check_code(&parameters, &self::parameters(body, "button"))?;
        }
        if parameters.iter().any(|text| text.contains(['\n', '\t']) || text.contains("     ")) {
            return Err(Fault::because(132_012, "A parameter holds a new line, a tab or more than four spaces."));
        }
        Ok((template, parameters.into_iter().next().unwrap_or_default()))
    }

    fn next_message_id(&mut self) -> String {
        use base64::Engine as _;
        let mark = hex(&sha256(&self.next_id().to_be_bytes()));
        let inner = format!("HBgM{}", mark.get(..32).unwrap_or_default());
        format!("wamid.{}", base64::engine::general_purpose::STANDARD.encode(inner))
    }
}

fn check_code(body: &[String], button: &[String]) -> Result<(), Fault> {
    if button != body {
        return Err(Fault::because(132_000, "button: the code must stand in the body and in the button"));
    }
    if body.iter().any(|code| code.chars().count() > LONGEST_CODE) {
        return Err(Fault::because(132_005, "The code is longer than 15 characters."));
    }
    Ok(())
}

fn text_of(body: &Value) -> Result<String, Fault> {
    let text = word(body, "/text/body").filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Fault::because(131_008, "The parameter text.body is required."))?;
    if text.chars().count() > LONGEST_TEXT {
        return Err(Fault::because(100, "Param text.body must be at most 4096 characters long."));
    }
    Ok(String::from(text))
}

/// The texts of the parameters of the components of one type, in order.
fn parameters(body: &Value, kind: &str) -> Vec<String> {
    let components = body.pointer("/template/components").and_then(Value::as_array);
    let of_kind = components
        .into_iter()
        .flatten()
        .filter(|one| word(one, "/type").is_some_and(|own| own.eq_ignore_ascii_case(kind)));
    let each = of_kind.flat_map(|one| one.get("parameters").and_then(Value::as_array).into_iter().flatten());
    each.map(|one| String::from(word(one, "/text").unwrap_or_default())).collect()
}

fn word<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}
