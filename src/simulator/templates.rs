//! Message templates: what Meta takes, and how they are reviewed. Pure.
//! Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::errors::Fault;
use super::webhook;
use super::world::{Effect, World};
use crate::clock::Millis;

/// A template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its id, an integer in webhooks and a text in answers.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// `AUTHENTICATION`, `UTILITY` or `MARKETING`.
    pub category: String,
    /// `PENDING`, `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`, …
    pub status: String,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: String,
    /// As it was sent.
    pub components: Value,
}

/// The authentication template that every world begins with.
pub fn built_in(id: u64) -> Template {
    let components = json!([
        {"type": "BODY", "add_security_recommendation": true},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
    ]);
    Template {
        id,
        name: String::from("login_otp"),
        language: String::from("en_US"),
        category: String::from("AUTHENTICATION"),
        status: String::from("APPROVED"),
        quality: String::from("GREEN"),
        components,
    }
}

impl Template {
    /// How many parameters its body takes.
    pub fn parameters(&self) -> usize {
        match self.category.as_str() {
            "AUTHENTICATION" => 1,
            _ => variables(body_text(&self.components).unwrap_or_default()).len(),
        }
    }

    /// As lists show it.
    pub fn view(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "status": self.status,
            "quality_score": {"score": self.quality},
            "components": self.components,
        })
    }
}

impl World {
    /// Answers `POST /{version}/{waba}/message_templates`.
    ///
    /// # Errors
    /// What Meta would refuse with.
    pub fn make_template(&mut self, body: &Value, now: Millis) -> Result<Value, Fault> {
        let name = word(body, "name").filter(|name| is_name(name));
        let name = name.ok_or_else(|| bad("name", "takes lower case letters, digits and _, up to 512"))?;
        let language = word(body, "language").filter(|text| (2..=8).contains(&text.len()));
        let language = language.ok_or_else(|| bad("language", "is required, e.g. en_US"))?;
        let category = word(body, "category").unwrap_or_default().to_uppercase();
        if !["AUTHENTICATION", "UTILITY", "MARKETING"].contains(&category.as_str()) {
            return Err(bad("category", "takes AUTHENTICATION, UTILITY or MARKETING"));
        }
        let components = body.get("components").cloned().unwrap_or_else(|| json!([]));
        check(&category, &components, body)?;
        if self.templates.iter().any(|one| one.name == name && one.language == language) {
            return Err(Fault::because(100, format!("There is already {language} content for this template.")));
        }
        let template = Template {
            id: self.next_id(),
            name: String::from(name),
            language: String::from(language),
            category: category.clone(),
            status: String::from("PENDING"),
            quality: String::from("UNKNOWN"),
            components,
        };
        let id = template.id;
        self.templates.push(template);
        self.review(id, now);
        Ok(json!({"id": id.to_string(), "status": "PENDING", "category": category}))
    }

    /// Answers `POST /{version}/{template_id}`: other components, and another review.
    ///
    /// # Errors
    /// What Meta would refuse with.
    pub fn edit_template(&mut self, id: u64, body: &Value, now: Millis) -> Result<Value, Fault> {
        let found = self.templates.iter_mut().find(|template| template.id == id);
        let template = found.ok_or_else(|| Fault::because(100, "There is no such template."))?;
        if let Some(components) = body.get("components") {
            check(&template.category, components, body)?;
            template.components = components.clone();
        }
        template.status = String::from("PENDING");
        self.review(id, now);
        Ok(json!({"success": true}))
    }

    /// Answers `DELETE /{version}/{waba}/message_templates?name=…`.
    ///
    /// # Errors
    /// 100 where there is none of that name.
    pub fn delete_templates(&mut self, name: &str) -> Result<Value, Fault> {
        let before = self.templates.len();
        self.templates.retain(|template| template.name != name);
        if self.templates.len() == before {
            return Err(Fault::because(100, "Message template was not found."));
        }
        Ok(json!({"success": true}))
    }

    /// Answers `GET /{version}/{waba}/message_templates`.
    pub fn list_templates(&self, name: Option<&str>) -> Value {
        let those = self.templates.iter().filter(|one| name.is_none_or(|name| one.name == name));
        let data: Vec<Value> = those.map(Template::view).collect();
        json!({"data": data, "paging": {"cursors": {"before": "MAZDZD", "after": "MjQZD"}}})
    }

    fn review(&mut self, id: u64, now: Millis) {
        if self.settings.auto_review {
            let at = now.plus(self.settings.pace.review);
            self.tell_template(id, ("APPROVED", None), at);
        }
    }

    /// Puts a template's new status among the webhooks.
    pub fn tell_template(&mut self, id: u64, (event, reason): (&str, Option<&str>), at: Millis) {
        let Some(template) = self.templates.iter().find(|template| template.id == id) else { return };
        let mut value = json!({
            "event": event,
            "message_template_id": template.id,
            "message_template_name": template.name,
            "message_template_language": template.language.replace('_', "-"),
            "reason": reason.unwrap_or("NONE"),
            "message_template_category": template.category,
        });
        let more = match event {
            "PAUSED" => Some((
                "other_info",
                json!({
                    "title": "FIRST_PAUSE",
                    "description": "Your WhatsApp message template has been paused for 3 hours.",
                }),
            )),
            "DISABLED" => Some(("disable_info", json!({"disable_date": (at.0 / 1_000).to_string()}))),
            "REJECTED" => Some((
                "rejection_info",
                json!({
                    "reason": "The template was rejected by whoever drives the simulator.",
                    "recommendation": "Change it and send it in again.",
                }),
            )),
            _ => None,
        };
        if let (Some(value), Some((name, more))) = (value.as_object_mut(), more) {
            value.insert(String::from(name), more);
        }
        let entry = webhook::account(&self.settings, "message_template_status_update", value, at);
        let status = match event {
            "REINSTATED" | "UNARCHIVED" => "APPROVED",
            other => other,
        };
        self.tell(at, entry, Effect::Template(id, String::from(status)));
    }
}

/// Whether the components are what the category takes.
fn check(category: &str, components: &Value, body: &Value) -> Result<(), Fault> {
    if category == "AUTHENTICATION" {
        return check_authentication(components, body);
    }
    let text = body_text(components).ok_or_else(|| bad("components", "must hold a BODY with a text"))?;
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(Fault::because(100, "Variables can't be at the start or end of the template."));
    }
    if text.contains("}}{{") || text.contains("}} {{") {
        return Err(Fault::because(100, "Variables can't stand next to each other."));
    }
    Ok(())
}

/// Meta writes the text of these itself.
fn check_authentication(components: &Value, body: &Value) -> Result<(), Fault> {
    if body_text(components).is_some() {
        return Err(bad("components", "must hold no text: Meta writes that of authentication templates"));
    }
    let all = components.as_array().into_iter().flatten();
    let buttons: Vec<&Value> =
        all.filter_map(|one| one.get("buttons")?.as_array()).flatten().filter(|one| is(one, "type", "OTP")).collect();
    let [button] = buttons.as_slice() else { return Err(bad("components", "must hold one button of type OTP")) };
    let kind = word(button, "otp_type").unwrap_or_default().to_uppercase();
    let apps = button.get("supported_apps").and_then(Value::as_array).map_or(0, Vec::len);
    match kind.as_str() {
        "COPY_CODE" => {}
        "ONE_TAP" | "ZERO_TAP" if (1..=5).contains(&apps) => {}
        "ONE_TAP" | "ZERO_TAP" => return Err(bad("supported_apps", "takes one to five apps")),
        _ => return Err(bad("otp_type", "takes COPY_CODE, ONE_TAP or ZERO_TAP")),
    }
    match body.get("message_send_ttl_seconds").and_then(Value::as_i64) {
        Some(ttl) if ttl != -1 && !(30..=900).contains(&ttl) => Err(bad("message_send_ttl_seconds", "takes 30 to 900")),
        _ => Ok(()),
    }
}

fn body_text(components: &Value) -> Option<&str> {
    let body = components.as_array()?.iter().find(|one| is(one, "type", "BODY"))?;
    word(body, "text")
}

/// The names between `{{` and `}}`.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim())).collect()
}

fn is(json: &Value, name: &str, wanted: &str) -> bool {
    word(json, name).is_some_and(|own| own.eq_ignore_ascii_case(wanted))
}

fn word<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name)?.as_str()
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=512).contains(&name.len()) && name.bytes().all(plain)
}

fn bad(what: &str, why: &str) -> Fault {
    Fault::because(100, format!("{what} {why}."))
}
