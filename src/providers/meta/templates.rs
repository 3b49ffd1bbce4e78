//! Meta's templates: submitted to the business account, and what its webhooks say of them. Pure.
//! Sources: <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates> and
//! `…/authentication-templates`; the webhooks' reference of `message_template_status_update` and its siblings.

use reqwest::{Client, Request};
use serde_json::{Value, json};

use crate::clock::Millis;
use crate::config::MetaCarrier;
use crate::providers::http_api::{look_up, text_at, word_at};
use crate::providers::outgoing_http::Answer;
use crate::providers::template::{
    ButtonKind, CodeButton, Reviewed, TemplateCategory, TemplateForm, TemplateNews, TemplateReport, TemplateState,
};
use crate::providers::wording;

/// "There is already content in this language": a submission before this one was taken, its answer lost.
const EXISTS: i64 = 2_388_024;
/// Codes after which the same submission may pass later: credentials, permissions, limits, outages.
const PASSING: &[i64] = &[0, 1, 2, 3, 4, 10, 190, 200, 613, 80_007, 80_008, 131_000, 131_005, 131_016];

/// Meta's words for what a template is now. What is not here changes nothing (`FLAGGED`, `IN_APPEAL`, `LIMIT_EXCEEDED`).
const STATES: &[(&str, TemplateState)] = &[
    ("PENDING", TemplateState::Pending),
    ("APPROVED", TemplateState::Approved),
    ("REINSTATED", TemplateState::Approved),
    ("UNPAUSED", TemplateState::Approved),
    ("UNARCHIVED", TemplateState::Approved),
    ("REJECTED", TemplateState::Rejected),
    ("PAUSED", TemplateState::Paused),
    ("LOCKED", TemplateState::Paused),
    ("ARCHIVED", TemplateState::Paused),
    ("DISABLED", TemplateState::Disabled),
    ("DELETED", TemplateState::Disabled),
    ("PENDING_DELETION", TemplateState::Disabled),
];

fn state_of(word: &str) -> Option<TemplateState> {
    look_up(STATES, word)
}

/// The request that submits `form` to the account's business account; `None` where that is not configured.
pub fn submission(client: &Client, account: &MetaCarrier, form: &TemplateForm) -> Option<reqwest::Result<Request>> {
    let waba = account.waba_id.as_ref()?;
    let url = format!("{}/{}/{waba}/message_templates", account.base_url, account.api_version);
    let request = (client.post(url))
        .bearer_auth(account.access_token.expose())
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(body_of(form).to_string());
    Some(request.build())
}

/// Meta writes languages with an underscore.
pub fn language(locale: &str) -> String {
    locale.replace('-', "_")
}

fn body_of(form: &TemplateForm) -> Value {
    let mut components = Vec::new();
    if form.category == TemplateCategory::Authentication {
        components.push(json!({"type": "BODY", "add_security_recommendation": form.security_recommendation}));
        components
            .extend(form.expiry_minutes.map(|minutes| json!({"type": "FOOTER", "code_expiration_minutes": minutes})));
        components
            .extend(form.button.as_ref().map(|button| json!({"type": "BUTTONS", "buttons": [button_of(button)]})));
    } else {
        components.extend(form.body.as_ref().map(|(text, examples)| match examples.is_empty() {
            true => json!({"type": "BODY", "text": text}),
            false => json!({"type": "BODY", "text": text, "example": {"body_text": [examples]}}),
        }));
        components.extend(form.footer.as_ref().map(|text| json!({"type": "FOOTER", "text": text})));
    }
    json!({
        "name": form.name,
        "language": language(&form.locale),
        "category": form.category.as_str().to_ascii_uppercase(),
        "components": components,
    })
}

fn button_of(button: &CodeButton) -> Value {
    let mut shown = json!({"type": "OTP", "otp_type": button.kind.as_str().to_ascii_uppercase()});
    let texts = [("text", &button.text), ("autofill_text", &button.autofill_text)];
    for (name, text) in texts.iter().filter_map(|(name, text)| Some((*name, text.as_ref()?))) {
        put(&mut shown, name, json!(text));
    }
    if button.kind != ButtonKind::CopyCode {
        put(&mut shown, "supported_apps", json!(button.apps));
    }
    if button.kind == ButtonKind::ZeroTap {
        put(&mut shown, "zero_tap_terms_accepted", json!(button.zero_tap_terms_accepted));
    }
    shown
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(String::from(name), value);
    }
}

/// What the answer to a submission means.
pub fn reviewed(answer: &Answer) -> Reviewed {
    let json: Value = answer.body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    if (200..300).contains(&answer.status) {
        let state = text_at(&json, "/status").and_then(state_of);
        return Reviewed::Taken { id: word_at(&json, "/id"), state };
    }
    let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_i64);
    if number("/error/error_subcode") == Some(EXISTS) {
        return Reviewed::Taken { id: None, state: None };
    }
    let pointers = ["/error/error_user_msg", "/error/error_data/details", "/error/message"];
    let words = pointers.iter().find_map(|pointer| text_at(&json, pointer)).unwrap_or("no reason was given");
    let words = wording::without(words, &[]);
    let passing = number("/error/code").is_none_or(|code| PASSING.contains(&code));
    match answer.status {
        400 | 404 | 422 if !passing => Reviewed::Refused(words),
        status => Reviewed::Failed(format!("HTTP {status}: {words}")),
    }
}

/// What one change of the account `waba` says of a template; `None` for a change about something else.
pub fn told(waba: &str, at: Option<i64>, change: &Value) -> Option<TemplateReport> {
    let value = change.get("value")?;
    let news = match text_at(change, "/field")? {
        "message_template_status_update" => {
            let state = text_at(value, "/event").and_then(state_of);
            TemplateNews::State(state, reason_of(value))
        }
        "message_template_quality_update" => {
            let word = text_at(value, "/new_quality_score")?.to_ascii_lowercase();
            TemplateNews::Quality(word.chars().filter(char::is_ascii_alphabetic).take(20).collect())
        }
        "template_category_update" => {
            TemplateNews::Category(text_at(value, "/new_category")?.to_ascii_lowercase().parse().ok()?)
        }
        "message_template_components_update" => {
            let body = text_at(value, "/message_template_element");
            TemplateNews::Words(body.map(|text| text.chars().take(LONGEST_BODY).collect()))
        }
        _ => return None,
    };
    Some(TemplateReport {
        account: String::from(waba),
        id: word_at(value, "/message_template_id").filter(|id| is_plain(id))?,
        name: text_at(value, "/message_template_name").filter(|name| is_plain(name)).map(String::from)?,
        language: text_at(value, "/message_template_language").unwrap_or_default().chars().take(35).collect(),
        at: at.and_then(|seconds| seconds.checked_mul(1_000)).map(Millis),
        news,
    })
}

/// Meta's names have 512 characters at most.
fn is_plain(word: &str) -> bool {
    (1..=512).contains(&word.len()) && !word.contains(char::is_control)
}

/// Longest body that Meta takes, characters.
const LONGEST_BODY: usize = 1_024;

/// The most telling of the reasons given; `NONE` and null are none.
fn reason_of(value: &Value) -> Option<String> {
    let pointers = ["/rejection_info/reason", "/other_info/description", "/other_info/title", "/reason"];
    let words = pointers.iter().find_map(|pointer| text_at(value, pointer).filter(|text| *text != "NONE"))?;
    Some(wording::without(words, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(category: TemplateCategory) -> TemplateForm {
        TemplateForm {
            name: String::from("login_otp"),
            locale: String::from("pt-BR"),
            category,
            body: None,
            footer: None,
            security_recommendation: true,
            expiry_minutes: Some(10),
            button: None,
        }
    }

    #[test]
    fn an_authentication_template_has_no_words_of_its_own() {
        let button = CodeButton {
            kind: ButtonKind::ZeroTap,
            text: Some(String::from("Copy")),
            autofill_text: None,
            apps: vec![crate::providers::template::SignedApp {
                package_name: String::from("com.example.app"),
                signature_hash: String::from("K8a/AINcGX7"),
            }],
            zero_tap_terms_accepted: true,
        };
        let form = TemplateForm { button: Some(button), ..form(TemplateCategory::Authentication) };
        let expected = json!({
            "name": "login_otp", "language": "pt_BR", "category": "AUTHENTICATION",
            "components": [
                {"type": "BODY", "add_security_recommendation": true},
                {"type": "FOOTER", "code_expiration_minutes": 10},
                {"type": "BUTTONS", "buttons": [{
                    "type": "OTP", "otp_type": "ZERO_TAP", "text": "Copy", "zero_tap_terms_accepted": true,
                    "supported_apps": [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}],
                }]},
            ],
        });
        assert_eq!(body_of(&form), expected);
    }

    #[test]
    fn other_templates_bring_their_text_with_examples() {
        let body = Some((String::from("Hello {{1}}, bye"), vec![String::from("Ann")]));
        let form = TemplateForm { body, footer: Some(String::from("ACME")), ..form(TemplateCategory::Utility) };
        let body = body_of(&form);
        let expected = json!([
            {"type": "BODY", "text": "Hello {{1}}, bye", "example": {"body_text": [["Ann"]]}},
            {"type": "FOOTER", "text": "ACME"},
        ]);
        assert_eq!((&body["components"], &body["category"]), (&expected, &json!("UTILITY")));
    }

    #[test]
    fn an_answer_is_taken_refused_or_worth_another_try() {
        let answer = |status: u16, body: Value| {
            reviewed(&Answer { status, retry_after: None, body: Ok(body.to_string().into_bytes()) })
        };
        let error = |code: i64, subcode: i64| json!({"error": {"code": code, "error_subcode": subcode, "message": "m", "error_user_msg": "Words between."}});
        let taken = |id: Option<&str>, state| Reviewed::Taken { id: id.map(String::from), state };
        assert_eq!(
            answer(200, json!({"id": "17", "status": "PENDING"})),
            taken(Some("17"), Some(TemplateState::Pending))
        );
        assert_eq!(answer(200, json!({"id": 17, "status": "NEWS"})), taken(Some("17"), None));
        assert_eq!(answer(400, error(100, EXISTS)), taken(None, None));
        assert_eq!(answer(400, error(100, 2_388_299)), Reviewed::Refused(String::from("Words between.")));
        for (status, code) in [(401, 190), (400, 80_007), (403, 200), (500, 131_000), (503, 100), (400, 4)] {
            assert!(matches!(answer(status, error(code, 0)), Reviewed::Failed(_)), "{status} {code}");
        }
        assert!(matches!(answer(400, json!("nonsense")), Reviewed::Failed(_)));
    }
}
