//! A generic HTTP carrier: its request is a template, its replies and receipts are read by JSON pointers.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::super::concern::{Concern, concern};
use super::super::fault::Wrong;
use super::super::reader::Section;
use super::super::setting::{any, word_setting};
use super::template::{Escape, Fill, Template};
use crate::secret::Secret;

crate::text_enum! {
    /// The method of a generic carrier's call.
    pub enum Method { Post = "POST", Put = "PUT", Get = "GET" }
}

crate::text_enum! {
    /// The form of a generic carrier's body, and so of the escapes in it.
    pub enum BodyForm { Json = "json", Form = "form" }
}

crate::text_enum! {
    /// How a signature is written in its header.
    pub enum SignatureForm { Hex = "hex", Base64 = "base64" }
}

crate::text_enum! {
    /// What a receipt says of a message.
    pub enum ReceiptStatus {
        Sent = "sent",
        Delivered = "delivered",
        Undelivered = "undelivered",
        Failed = "failed",
    }
}

word_setting!(Method, BodyForm, SignatureForm, ReceiptStatus);

concern! {
    /// Any HTTP API: the request is a template with {to}, {from}, {text} and {id}.
    pub struct HttpKeys {
        /// The address; placeholders after the host are percent-escaped.
        url: Template = required "https://sms.example.com/v2/send", "", is_an_address;
        /// POST, PUT or GET.
        method: Method = default "POST", "", any;
        /// Headers, with their secrets.
        headers: BTreeMap<String, Secret<String>> = example "{ Authorization = \"Bearer …\" }", "", are_headers;
        /// json or form: the body's content type, and how placeholders in it are escaped.
        content: BodyForm = default "json", "", any;
        /// The body; none with GET.
        body: Option<Template> = example "{\"to\":\"{to}\",\"from\":\"{from}\",\"text\":\"{text}\",\"ref\":\"{id}\"}", "", any;
        /// The sender that fills {from}.
        from: Option<String> = example "ACME", "", any;
        /// Statuses that say: accepted.
        success_statuses: Vec<u16> = default "200, 201, 202", "", are_statuses;
        /// Statuses that say: not accepted, and never will be. Any other answer is unknown and never sent again by itself.
        refused_statuses: Vec<u16> = default "400, 401, 402, 403, 404, 405, 413, 415, 422", "", are_statuses;
        /// Statuses that say: not accepted now, try again.
        busy_statuses: Vec<u16> = default "429", "", are_statuses;
        /// JSON pointer (RFC 6901) to the carrier's id of the message in its answer.
        id_pointer: Option<String> = example "/messages/0/id", "", is_a_pointer;
    }
}

concern! {
    /// Delivery receipts, posted by the carrier to /hooks/{name}/status and signed with HMAC-SHA-256 of the body.
    pub struct Receipt {
        /// The key of the signature, 16 characters or more.
        secret: Secret<String> = required "…", "", is_long;
        /// The header that carries the signature.
        signature_header: String = default "X-Signature", "", is_a_header;
        /// hex or base64.
        signature_form: SignatureForm = default "hex", "", any;
        /// What stands before the signature in its header.
        signature_prefix: Option<String> = example "sha256=", "", any;
        /// JSON pointer to the carrier's id of the message.
        id_pointer: String = default "/id", "", is_pointer;
        /// JSON pointer to the status.
        status_pointer: String = default "/status", "", is_pointer;
        /// The carrier's words for sent, delivered, undelivered and failed; other words are ignored.
        status_map: BTreeMap<String, ReceiptStatus> = required "{ DELIVRD = \"delivered\", UNDELIV = \"undelivered\" }", "", is_not_empty;
    }
}

/// A generic HTTP carrier.
#[derive(Debug, Clone)]
pub struct HttpCarrier {
    /// How to call it.
    pub call: HttpKeys,
    /// How to read its receipts, where it sends any.
    pub receipt: Option<Receipt>,
}

impl HttpCarrier {
    /// Reads the keys and checks them against each other.
    pub(super) fn read_checked(section: &mut Section<'_>) -> Option<Self> {
        let (receipt, receipt_fits) = match section.take_table("receipt") {
            Some(mut table) => {
                let receipt = Receipt::read(&mut table);
                let fits = receipt.is_some();
                (receipt, fits)
            }
            None => (None, true),
        };
        let draft = Draft::of(section);
        let call = HttpKeys::read(section);
        draft.check_body(section);
        draft.check_statuses(section);
        call.filter(|_| receipt_fits).map(|call| HttpCarrier { call, receipt })
    }
}

impl HttpKeys {
    /// The address of a call.
    pub fn render_url(&self, fill: &Fill<'_>) -> String {
        self.url.render(fill, Escape::Percent)
    }

    /// The body of a call; `None` where there is none.
    pub fn render_body(&self, fill: &Fill<'_>) -> Option<String> {
        let escape = match self.content {
            BodyForm::Json => Escape::Json,
            BodyForm::Form => Escape::Percent,
        };
        self.body.as_ref().map(|body| body.render(fill, escape))
    }
}

impl BodyForm {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            BodyForm::Json => "application/json",
            BodyForm::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// The keys that are checked against each other, each where it can be read.
struct Draft {
    method: Option<Method>,
    content: Option<BodyForm>,
    body: Option<Option<Template>>,
    statuses: [(&'static str, Vec<u16>); 3],
}

impl Draft {
    fn of(section: &Section<'_>) -> Draft {
        let statuses = ["success_statuses", "busy_statuses", "refused_statuses"];
        Draft {
            method: HttpKeys::peek(section, "method"),
            content: HttpKeys::peek(section, "content"),
            body: HttpKeys::peek(section, "body"),
            statuses: statuses.map(|name| (name, HttpKeys::peek(section, name).unwrap_or_default())),
        }
    }

    fn check_body(&self, section: &mut Section<'_>) {
        let (Some(method), Some(body)) = (self.method, &self.body) else { return };
        match (method, body) {
            (Method::Get, Some(_)) => {
                section.fault(
                    "body",
                    Wrong::new("stands beside method = \"GET\"", "remove it, or write method = \"POST\""),
                );
            }
            (Method::Post | Method::Put, None) => {
                let hint = "write body = '{\"to\":\"{to}\",\"text\":\"{text}\"}'";
                section.fault("body", Wrong::new("is missing", hint));
            }
            (_, Some(body)) if self.content == Some(BodyForm::Json) => {
                let filled = body.render(&Fill::SAMPLE, Escape::Json);
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled) {
                    let what = format!("is not JSON once filled in: {error}");
                    section.fault("body", Wrong::new(what, "put every placeholder between double quotes"));
                }
            }
            _ => {}
        }
    }

    /// A list may have nothing of those before it.
    fn check_statuses(&self, section: &mut Section<'_>) {
        for (place, (name, list)) in self.statuses.iter().enumerate() {
            let mut before = self.statuses.iter().take(place).flat_map(|(_, list)| list);
            if let Some(status) = before.find(|status| list.contains(status)) {
                let what = format!("has {status}, which stands in another list too");
                section.fault(name, Wrong::new(what, "a status says one thing: leave it in one list"));
            }
        }
    }
}

fn is_an_address(url: &Template) -> Result<(), Wrong> {
    let hint = "write an http or https URL; placeholders may stand after the host";
    let parsed = Url::parse(&url.render(&Fill::SAMPLE, Escape::Percent))
        .map_err(|error| Wrong::new(format!("is not a URL: {error}"), hint))?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(Wrong::new("is not an http or https URL", hint));
    }
    // A slot in the host would let a recipient choose which server is called.
    let after_scheme = url.head().split_once("://").map_or("", |(_, rest)| rest);
    let whole = after_scheme.contains(['/', '?']) || url.render(&Fill::SAMPLE, Escape::Percent) == url.head();
    if whole { Ok(()) } else { Err(Wrong::new("has a placeholder in its host", hint)) }
}

fn are_headers(headers: &BTreeMap<String, Secret<String>>) -> Result<(), Wrong> {
    for (name, value) in headers {
        is_a_header(name)?;
        if HeaderValue::from_str(value.expose()).is_err() {
            return Err(Wrong::new(format!(".{name} is not a header's value"), "write visible ASCII characters"));
        }
    }
    Ok(())
}

fn is_a_header(name: &String) -> Result<(), Wrong> {
    let wrong = |_| Wrong::new(format!("= {name:?} is not a header's name"), "write a name such as \"X-Signature\"");
    HeaderName::from_bytes(name.as_bytes()).map(|_| ()).map_err(wrong)
}

#[expect(clippy::ptr_arg, reason = "has the shape of every check of a list")]
fn are_statuses(statuses: &Vec<u16>) -> Result<(), Wrong> {
    match statuses.iter().find(|status| !(200..=599).contains(*status)) {
        Some(odd) => Err(Wrong::new(format!("has {odd}, which is no HTTP status"), "write numbers from 200 to 599")),
        None => Ok(()),
    }
}

fn is_a_pointer(pointer: &Option<String>) -> Result<(), Wrong> {
    pointer.as_ref().map_or(Ok(()), is_pointer)
}

fn is_pointer(pointer: &String) -> Result<(), Wrong> {
    if pointer.starts_with('/') {
        return Ok(());
    }
    Err(Wrong::new(format!("= {pointer:?} is not a JSON pointer"), "write a path such as \"/messages/0/id\""))
}

fn is_long(secret: &Secret<String>) -> Result<(), Wrong> {
    if secret.expose().chars().count() >= 16 {
        return Ok(());
    }
    Err(Wrong::new("is shorter than 16 characters", "agree on a longer one with the carrier"))
}

fn is_not_empty(map: &BTreeMap<String, ReceiptStatus>) -> Result<(), Wrong> {
    if map.is_empty() { Err(Wrong::new("is empty", "write { DELIVRD = \"delivered\" }")) } else { Ok(()) }
}
