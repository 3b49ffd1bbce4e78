//! Answers of the text endpoint: a line of plain text or JSON, and the status that it stands for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use crate::activations::order::NoOrder;
use crate::activations::state::Refusal;
use crate::clock::Millis;
use crate::error::{Code, Error};
use crate::money::Micros;
use crate::terms::Statuses;

/// The status that an answer stands for, whatever it is answered with.
const STATUS: HeaderName = HeaderName::from_static("x-activation-status");

/// An answer.
pub(super) struct Answer {
    body: String,
    is_json: bool,
    status: u16,
    wait: Option<u64>,
}

impl Answer {
    /// A success in text.
    pub(super) fn text(body: impl Into<String>) -> Answer {
        Answer::word(body, 200)
    }

    /// A line of text that stands for `status`.
    pub(super) fn word(body: impl Into<String>, status: u16) -> Answer {
        Answer { body: body.into(), is_json: false, status, wait: None }
    }

    /// A success in JSON.
    pub(super) fn json(body: &impl Serialize) -> Answer {
        match serde_json::to_string(body) {
            Ok(body) => Answer { body, is_json: true, status: 200, wait: None },
            Err(fault) => Answer::from(Error::internal(fault)),
        }
    }

    /// JSON that says that there is nothing, as clients of the protocol know it.
    pub(super) fn none(word: &str, status: u16) -> Answer {
        #[derive(Serialize)]
        struct Nothing<'a> {
            status: &'a str,
            error: &'a str,
        }
        Answer { status, ..Answer::json(&Nothing { status: "error", error: word }) }
    }

    /// The response. The body is no page: a text that somebody sent is in it.
    pub(super) fn into_response(self, statuses: Statuses) -> HttpResponse {
        let meant = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let shown = if statuses == Statuses::Mapped { meant } else { StatusCode::OK };
        let kind = if self.is_json { "application/json" } else { "text/plain; charset=utf-8" };
        let mut response = HttpResponse::build(shown);
        response.content_type(kind).insert_header((STATUS, HeaderValue::from(meant.as_u16())));
        if let Some(wait) = self.wait {
            response.insert_header((header::RETRY_AFTER, wait));
        }
        response.body(self.body)
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Answer {
        let entry = error.code().entry();
        if entry.status >= 500 {
            let cause = error.cause_text().unwrap_or("none given");
            tracing::error!(error.code = %error.code(), error.cause = cause, "the text endpoint failed: {cause}");
        }
        Answer { wait: error.retry_after_s(), ..Answer::word(entry.text_code, entry.status) }
    }
}

impl From<NoOrder> for Answer {
    fn from(refusal: NoOrder) -> Answer {
        match refusal {
            NoOrder::Service => Answer::word("BAD_SERVICE", 400),
            NoOrder::Country => Answer::word("BAD_COUNTRY", 400),
            NoOrder::NoNumbers => Answer::word("NO_NUMBERS", 404),
            NoOrder::MaxPrice(least) => Answer::word(format!("WRONG_MAX_PRICE:{least}"), 400),
            NoOrder::Other(error) => match error.code() {
                Code::IdempotencyMismatch | Code::IdempotencyInFlight => Answer::word("ORDER_ALREADY_EXISTS", 409),
                _ => Answer::from(error),
            },
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        match refusal {
            Refusal::TooEarly(_) => Answer::from(Error::from(refusal)),
            // The protocol has one word for everything that cannot be done where an activation is.
            _ => Answer::word("BAD_STATUS", 400),
        }
    }
}

/// A moment as the protocol writes it, `2026-11-22 08:00:00` (UTC).
pub(super) fn moment(at: Millis) -> String {
    at.rfc3339().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// Money with two places, rounded down: clients cut and search by that form.
pub(super) fn cents(amount: Micros) -> String {
    format!("{}.{:02}", amount.0.div_euclid(1_000_000), amount.0.rem_euclid(1_000_000) / 10_000)
}

/// Money as a JSON number, which the protocol has: for showing only.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 micros")]
pub(super) fn number(amount: Micros) -> f64 {
    amount.0 as f64 / 1_000_000.0
}

/// Money as a text without needless places, `0` or `0.5`.
pub(super) fn bare(amount: Micros) -> String {
    let text = amount.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_each_place_of_the_protocol_has_it() {
        let shown = |micros| {
            (cents(Micros(micros)), bare(Micros(micros)), serde_json::json!(number(Micros(micros))).to_string())
        };
        let owned = |cents: &str, bare: &str, number: &str| (cents.to_owned(), bare.to_owned(), number.to_owned());
        assert_eq!(shown(100_500_000), owned("100.50", "100.5", "100.5"));
        assert_eq!(shown(0), owned("0.00", "0", "0.0"));
        assert_eq!(shown(7_500), owned("0.00", "0.0075", "0.0075"));
        assert_eq!(shown(20_000_000), owned("20.00", "20", "20.0"));
    }

    #[test]
    fn a_moment_has_neither_t_nor_zone() {
        assert_eq!(moment(Millis(1_774_708_200_123)), "2026-03-28 14:30:00");
    }
}
