//! The registry of errors as JSON, as examples and as pages.

use std::time::Duration;

use askama::Template;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::advice::{Advice, advice};
use super::prose::pretty;
use crate::error::{Code, Error, Language, PolicyHit};
use crate::http::problem::{Problem, status_of};
use crate::limits::Policy;

/// The request id in examples.
pub const REQUEST_ID: &str = "0b9a5c1e-6f0d-4c53-9d0f-2f6f1c1f8a11";

/// Every error code a client can meet.
#[derive(Serialize, ToSchema)]
pub struct ErrorRegistry {
    /// In the order of their statuses.
    data: Vec<ErrorEntry>,
    /// The language of the sentences: what `Accept-Language` came to.
    #[schema(example = "en")]
    language: &'static str,
    /// Every language that errors are told in.
    #[schema(example = json!(["en", "de", "pt-BR"]))]
    languages: Vec<&'static str>,
}

/// An error code.
#[derive(Serialize, ToSchema)]
pub struct ErrorEntry {
    /// The stable code to match on.
    #[schema(example = "otp.number_limit")]
    code: &'static str,
    /// The HTTP status it is answered with.
    #[schema(example = 429)]
    status: u16,
    /// Whether the same request may succeed later without a change.
    #[schema(example = true)]
    retry: bool,
    /// The word of the text endpoint.
    #[schema(example = "RATE_LIMITED")]
    text_code: &'static str,
    /// The word of the coals dialect.
    #[schema(example = "OTP_LIMIT_EXCEEDED")]
    coals_code: &'static str,
    /// What happened and what to do, in `language`.
    #[schema(example = "This number has had its share of codes; wait as long as Retry-After says.")]
    sentence: &'static str,
    /// Its page in the reference.
    #[schema(example = "http://127.0.0.1:8080/docs/errors/otp.number_limit")]
    docs: String,
}

/// The registry for a reader of `language`; `base` is where clients reach this server.
pub fn registry(base: &str, language: Language) -> ErrorRegistry {
    let data = Code::ALL.iter().map(|code| {
        let entry = code.entry();
        ErrorEntry {
            code: code.as_str(),
            status: entry.status,
            retry: entry.retry,
            text_code: entry.text_code,
            coals_code: entry.coals_code,
            sentence: code.sentence_in(language),
            docs: format!("{base}/docs/errors/{code}"),
        }
    });
    let languages = Language::all().map(Language::tag).collect();
    ErrorRegistry { data: data.collect(), language: language.tag(), languages }
}

/// The canonical body of an error as a client might meet it.
pub fn example(code: Code, base: &str) -> Value {
    let hit =
        |policy: Policy, limit, window_s| PolicyHit { policy: policy.as_str().into(), limit, usage: limit, window_s };
    let error = Error::new(code);
    let error = match code {
        Code::ValidationFailed => error.and_field("to", "is required"),
        Code::PermissionDenied => error.and_field("required_scope", "messages:send"),
        Code::OtpNumberLimit => error.retry_after(Duration::from_secs(137)).policy(hit(Policy::OtpNumber, 3, 300)),
        Code::SmsPlanCap => error.retry_after(Duration::from_secs(12)).policy(hit(Policy::SmsPlan, 60, 60)),
        Code::QuotaDailyExceeded => {
            error.retry_after(Duration::from_secs(7_200)).policy(hit(Policy::KeyDaily, 10_000, 86_400))
        }
        Code::RateLimited => error.retry_after(Duration::from_secs(9)).policy(hit(Policy::KeyMinute, 60, 60)),
        _ => error,
    };
    let mut problem = Problem::of(&error, base);
    problem.request_id = Some(REQUEST_ID.into());
    serde_json::to_value(problem).unwrap_or_default()
}

/// The page with all codes; the `type` of every problem is an anchor on it.
#[derive(Template)]
#[template(path = "docs/errors.html")]
struct AllErrors {
    groups: Vec<StatusGroup>,
    /// Every language that errors are told in.
    languages: Vec<&'static str>,
}

struct StatusGroup {
    status: u16,
    reason: &'static str,
    codes: Vec<CodeView>,
}

/// The page of one code.
#[derive(Template)]
#[template(path = "docs/error.html")]
struct OneError {
    of: CodeView,
    reason: &'static str,
    advice: Advice,
    example: String,
}

struct CodeView {
    code: &'static str,
    status: u16,
    retry: bool,
    sentence: &'static str,
    coals_code: &'static str,
}

/// The page with all codes.
///
/// # Errors
/// Where the template cannot be written.
pub fn all_page() -> askama::Result<String> {
    let mut groups: Vec<StatusGroup> = Vec::new();
    for code in Code::ALL {
        let (view, status) = (view_of(*code), code.entry().status);
        match groups.iter_mut().find(|group| group.status == status) {
            Some(group) => group.codes.push(view),
            None => groups.push(StatusGroup { status, reason: reason(*code), codes: vec![view] }),
        }
    }
    AllErrors { groups, languages: Language::all().map(Language::tag).collect() }.render()
}

/// The page of a code.
///
/// # Errors
/// Where the template cannot be written.
pub fn one_page(code: Code, base: &str) -> askama::Result<String> {
    let example = pretty(&example(code, base));
    OneError { of: view_of(code), reason: reason(code), advice: advice(code), example }.render()
}

fn view_of(code: Code) -> CodeView {
    let entry = code.entry();
    let (status, retry) = (entry.status, entry.retry);
    CodeView { code: code.as_str(), status, retry, sentence: entry.sentence, coals_code: entry.coals_code }
}

fn reason(code: Code) -> &'static str {
    status_of(code).canonical_reason().unwrap_or("Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_anchor_and_a_page_that_shows_its_body() {
        let all = all_page().unwrap();
        assert!(Language::all().all(|language| all.contains(&format!("<code>{}</code>", language.tag()))));
        for code in Code::ALL {
            assert!(all.contains(&format!("id=\"{code}\"")), "{code}");
            assert!(all.contains(&format!("href=\"/docs/errors/{code}\"")), "{code}");
            let page = one_page(*code, "").unwrap();
            assert!(page.contains(code.entry().coals_code) && page.contains(REQUEST_ID), "{code}");
        }
    }

    #[test]
    fn an_example_of_a_refusing_policy_names_it() {
        let body = example(Code::OtpNumberLimit, "https://otp.example.com");
        assert_eq!(body["type"], "https://otp.example.com/docs/errors#otp.number_limit");
        assert_eq!((&body["policy"], &body["retry_after"]), (&"otp.number".into(), &137.into()));
    }
}
