//! How an error looks to a client, in the dialect of its route.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Code, Error, Language};

/// The dialect a route speaks its errors in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `application/problem+json` (RFC 9457) with our members.
    Canonical,
    /// `{"success":false,"error":{…}}`, spoken under `/simcoal/`.
    Coals,
    /// The canonical members and those that clients of REST activation services expect.
    ActivationRest,
    /// One word of plain text.
    ActivationText,
}

impl Dialect {
    /// The dialect of a path.
    pub fn of_path(path: &str) -> Self {
        let under = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if under("/simcoal") {
            Dialect::Coals
        } else if under("/v1/activations") || under("/v1/catalog") {
            Dialect::ActivationRest
        } else if under("/stubs") {
            Dialect::ActivationText
        } else {
            Dialect::Canonical
        }
    }

    /// The Content-Type of an error.
    pub fn content_type(self) -> &'static str {
        match self {
            Dialect::Canonical => "application/problem+json",
            Dialect::Coals | Dialect::ActivationRest => "application/json",
            Dialect::ActivationText => "text/plain; charset=utf-8",
        }
    }
}

/// The canonical body of an error (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// The address of the code's page in the reference.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors#otp.number_limit")]
    pub kind: String,
    /// The reason phrase of the status.
    #[schema(example = "Too Many Requests")]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[schema(example = 429)]
    pub status: u16,
    /// The stable code to match on.
    #[schema(example = "otp.number_limit")]
    pub code: Cow<'static, str>,
    /// A sentence for a person: what the code says, in the language that `Accept-Language` asks for; or, in English,
    /// what is particular to this case.
    pub detail: Cow<'static, str>,
    /// What the code says, in the language asked for, where that is not English and `detail` is particular to this
    /// case. Show it before `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<&'static str>,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub field_errors: BTreeMap<String, Vec<String>>,
    /// The id of the request; absent from the items of a bulk reply, whose request has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whole seconds after which the same request could pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// What the refusing policy allows in its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// What is used of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<u64>,
    /// The refusing policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The id of the refusing decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}

impl Problem {
    /// The body of `error` in English; `base` is where clients reach this server, empty for an address relative to it.
    pub fn of(error: &Error, base: &str) -> Self {
        Problem::told(error, base, Language::ENGLISH)
    }

    /// The same for a reader of `language`. What programs read (code, members, numbers) is the same in all.
    pub fn told(error: &Error, base: &str, language: Language) -> Self {
        let status = status_of(error.code());
        let hit = error.policy_hit();
        Problem {
            kind: format!("{base}/docs/errors#{}", error.code()),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            status: status.as_u16(),
            code: Cow::Borrowed(error.code().as_str()),
            detail: error.sentence_in(language),
            sentence: (error.has_detail() && !language.is_english()).then(|| error.code().sentence_in(language)),
            field_errors: error.fields().clone(),
            request_id: None,
            retry_after: error.retry_after_s(),
            limit: hit.map(|hit| hit.limit),
            usage: hit.map(|hit| hit.usage),
            policy: hit.map(|hit| hit.policy.to_string()),
            decision: error.decision_id().map(|id| id.to_string()),
        }
    }
}

/// The status of a code.
pub fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The Content-Language of `error` as `dialect` tells it to a reader of `language`: what names the facts of a case, a
/// detail or the faults of fields, stays English. None where the dialect has no sentence.
pub fn language_of(error: &Error, dialect: Dialect, language: Language) -> Option<&'static str> {
    let has_english = error.has_detail() || error.has_fields();
    match dialect {
        Dialect::ActivationText => None,
        Dialect::Coals if has_english => Some(Language::ENGLISH.tag()),
        Dialect::Canonical | Dialect::ActivationRest if has_english => Some(language.beside_english()),
        _ => Some(language.tag()),
    }
}

/// The body of `error` as `dialect` writes it. `problem` is its canonical form, already complete.
pub fn render(error: &Error, problem: &Problem, dialect: Dialect) -> Bytes {
    match dialect {
        Dialect::Canonical => json(problem),
        Dialect::Coals => coals(error, problem),
        Dialect::ActivationRest => activation_rest(problem),
        Dialect::ActivationText => Bytes::from_static(error.code().entry().text_code.as_bytes()),
    }
}

fn coals(error: &Error, problem: &Problem) -> Bytes {
    #[derive(Serialize)]
    struct Shape {
        success: bool,
        error: Inner,
    }
    #[derive(Serialize)]
    struct Inner {
        code: &'static str,
        message: String,
    }
    let inner = Inner { code: error.code().entry().coals_code, message: one_line(error, problem) };
    json(&Shape { success: false, error: inner })
}

fn activation_rest(problem: &Problem) -> Bytes {
    #[derive(Serialize)]
    struct Shape<'a> {
        #[serde(flatten)]
        problem: &'a Problem,
        error: &'a str,
        message: &'a str,
        #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    }
    json(&Shape { problem, error: &problem.code, message: &problem.detail, retry_after: problem.retry_after })
}

/// The coals dialect has no place for faults by field, so that its one sentence names them.
fn one_line(error: &Error, problem: &Problem) -> String {
    if !error.has_fields() {
        return problem.detail.to_string();
    }
    let faults = error.fields().iter().flat_map(|(field, whys)| whys.iter().map(move |why| format!("{field} {why}")));
    faults.collect::<Vec<_>>().join("; ")
}

fn json(body: &impl Serialize) -> Bytes {
    // Texts and numbers under text keys: serde_json has no way to fail on these.
    Bytes::from(serde_json::to_vec(body).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::PolicyHit;

    fn refused() -> Error {
        let hit = PolicyHit { policy: "otp.number".into(), limit: 3, usage: 3, window_s: 300 };
        Error::new(Code::OtpNumberLimit).policy(hit).retry_after(Duration::from_millis(136_001))
    }

    fn shown(error: &Error, dialect: Dialect) -> serde_json::Value {
        let mut problem = Problem::of(error, "https://otp.example.com");
        problem.request_id = Some("r-1".into());
        serde_json::from_slice(&render(error, &problem, dialect)).unwrap()
    }

    #[test]
    fn the_canonical_body_is_that_of_the_contract() {
        let want = serde_json::json!({
            "type": "https://otp.example.com/docs/errors#otp.number_limit", "title": "Too Many Requests", "status": 429,
            "code": "otp.number_limit", "detail": Code::OtpNumberLimit.entry().sentence, "request_id": "r-1",
            "retry_after": 137, "limit": 3, "usage": 3, "policy": "otp.number",
        });
        assert_eq!(shown(&refused(), Dialect::Canonical), want);
    }

    #[test]
    fn the_coals_dialect_has_one_code_and_one_sentence() {
        let error = Error::field("to", "is required").and_field("message", "is required");
        let want = serde_json::json!({"success": false,
            "error": {"code": "VALIDATION_ERROR", "message": "message is required; to is required"}});
        assert_eq!(shown(&error, Dialect::Coals), want);
    }

    #[test]
    fn the_activation_dialects_say_the_same_in_their_words() {
        let rest = shown(&refused(), Dialect::ActivationRest);
        assert_eq!((&rest["error"], &rest["retryAfter"]), (&"otp.number_limit".into(), &137.into()));
        assert_eq!((&rest["message"], &rest["status"]), (&rest["detail"], &429.into()));
        let error = Error::new(Code::InsufficientBalance);
        assert_eq!(render(&error, &Problem::of(&error, ""), Dialect::ActivationText), "NO_BALANCE");
    }

    #[test]
    fn a_reader_is_told_in_their_language_and_facts_stay_as_they_are() {
        let german = Language::asked_by("de");
        let told = |error: &Error| serde_json::to_value(Problem::told(error, "", german)).unwrap();
        let (mut english, mut general) = (serde_json::to_value(Problem::of(&refused(), "")).unwrap(), told(&refused()));
        assert_eq!(general["detail"], Code::OtpNumberLimit.sentence_in(german));
        assert_ne!(english["detail"].take(), general["detail"].take());
        assert_eq!(english, general);
        let particular = told(&refused().detail("It opens at noon."));
        assert_eq!(particular["detail"], "It opens at noon.");
        assert_eq!(particular["sentence"], Code::OtpNumberLimit.sentence_in(german));
        for (error, canonical, coals) in [
            (refused(), "de", "de"),
            (refused().detail("It opens at noon."), "de, en", "en"),
            (Error::field("to", "is required"), "de, en", "en"),
        ] {
            let of = |dialect| language_of(&error, dialect, german);
            assert_eq!((of(Dialect::Canonical), of(Dialect::Coals)), (Some(canonical), Some(coals)));
            assert_eq!((of(Dialect::ActivationRest), of(Dialect::ActivationText)), (Some(canonical), None));
            assert_eq!(language_of(&error, Dialect::Canonical, Language::ENGLISH), Some("en"));
        }
    }

    #[test]
    fn the_path_chooses_the_dialect() {
        assert_eq!(Dialect::of_path("/simcoal/send"), Dialect::Coals);
        assert_eq!(Dialect::of_path("/simcoals"), Dialect::Canonical);
        assert_eq!(Dialect::of_path("/v1/catalog/services"), Dialect::ActivationRest);
        assert_eq!(Dialect::of_path("/stubs/handler_api.php"), Dialect::ActivationText);
        assert_eq!(Dialect::of_path("/v1/messages"), Dialect::Canonical);
    }
}
