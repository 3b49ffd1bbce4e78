//! The one OpenAPI document, merged from what each room says of its own routes.

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::finish::finish;
use super::http::ReferenceDocs;
use crate::accounts::AccountDocs;
use crate::activations::ActivationDocs;
use crate::admin::AdminDocs;
use crate::billing::BillingDocs;
use crate::broadcasts::BroadcastDocs;
use crate::callbacks::CallbackDocs;
use crate::fraud::FraudDocs;
use crate::health::HealthDocs;
use crate::inbound::InboundDocs;
use crate::messages::MessageDocs;
use crate::routing::SenderDocs;
use crate::sentinel::SentinelDocs;
use crate::templates::TemplateDocs;
use crate::verifications::VerificationDocs;
use crate::webhooks::WebhookDocs;
use crate::whatsapp::WhatsappDocs;

/// Tags in reading order, each with what it is about.
const TAGS: &[(&str, &str)] = &[
    ("Messages", "Send your own text, one by one or a thousand at once, and follow what became of it."),
    ("Verifications", "Postern makes the code, sends it and checks it; your app never sees it."),
    (
        "Broadcasts",
        "One message to many contacts, a hundred thousand at most: a sheet in, paced under every limit, a sheet of results out.",
    ),
    (
        "Webhooks",
        "What happened, told to endpoints of yours: signed, retried, and sent again on request. No code is ever in one.\n\n\
         An event is posted as `{\"type\":\"message.delivered\",\"timestamp\":\"2026-12-01T08:00:00.000Z\",\"data\":{…}}`. `data` of \
         `message.*` has id, status, mode, channel, kind, to (masked), country, segments, price, error_code, batch_id, \
         verification_id and your metadata; of `message.inbound` and `recipient.*` inbound_id, channel, from (masked), to and \
         keyword (read the rest at `/v1/inbound/{id}`); of `template.*` id, name, channel, locale, category, version, sends, and \
         what changed; of `verification.*` what `/v1/verifications/{id}` shows, masked; of `broadcast.*` what \
         `/v1/broadcasts/{id}` shows.\n\n\
         Signatures are those of [Standard Webhooks](https://www.standardwebhooks.com): `webhook-signature` holds, for each \
         secret in force, `v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`, keyed with the \
         base64 behind `whsec_`. Refuse timestamps older than five minutes, and take each `webhook-id` once.",
    ),
    ("Templates", "Texts of your own for each channel and language, reviewed before they are sent."),
    (
        "Wallet",
        "Your prepaid balance, what moved it, how it is topped up, and the monthly invoices. These routes have a request \
         limit of their own.",
    ),
    (
        "Activations",
        "Numbers that receive codes, for tests of your own sign-up: rent one for a service, read the code, pay when it came. \
         Off unless the operator turns them on.",
    ),
    ("Senders", "Who your messages may come from."),
    ("Inbound messages", "What people wrote to your numbers, and who wants no messages but codes."),
    ("WhatsApp", "Your numbers, how many people they may write to first, and with whom a session is open."),
    ("Fraud", "What you let through and keep out, what was decided and why."),
    ("Account", "The organization and the key behind a request, and every limit that applies to them."),
    ("Sandbox", "What test messages look like on the handset: nothing of it reaches a carrier."),
    ("Coals dialect", "The same engine for clients that speak the coals dialect: its own success and error envelope."),
    ("Inbound", "What carriers call. Believed by signature only; no key."),
    ("Reference", "This document, the registry of errors, and the pages made of them. Public."),
    ("Operations", "Probes for supervisors and load balancers. Public."),
    ("Admin: now", "Operators: how the platform does, alerts, the live tail."),
    ("Admin: organizations", "Operators: organizations, their plan, state and countries."),
    ("Admin: keys", "Operators: API keys; each secret is shown once."),
    ("Admin: plans and limits", "Operators: what each plan allows, and overrides for one organization or key."),
    ("Admin: routes", "Operators: which carrier takes what to where."),
    ("Admin: senders", "Operators: who messages may come from, for one organization or for all."),
    ("Admin: activations", "Operators: services and numbers that can be rented."),
    ("Admin: WhatsApp", "Operators: numbers, and the portfolios whose tier they share."),
    ("Admin: templates", "Operators: organizations' own texts, and their review."),
    (
        "Admin: fraud",
        "Operators: decisions, the engine's rules and holds, simulations, and what is kept out for everybody.",
    ),
    ("Admin: money", "Operators: prices, wallets, top-ups, invoices and the ledger."),
    ("Admin: messages", "Operators: messages of all organizations, found, followed and acted on."),
    ("Admin: privacy", "Operators: erasing a number or mail address, and the proof of it."),
    (
        "Admin: requests",
        "Operators: the log of requests, what went wrong for whom, and all that one request left behind.",
    ),
    ("Admin: webhooks", "Operators: endpoints of all organizations, and what carriers call here."),
    ("Admin: operators", "Operators: who may use this part, in which role."),
    ("Admin: audit", "Operators: every change, in a hash chain that can be verified."),
    (
        "Admin: system",
        "Operators: the installation itself: its state, copies of the database, jobs, the support bundle.",
    ),
];

const ABOUT: &str = "\
Postern is a self-hostable OTP messaging platform: it sends messages and verification codes over SMS and email, holds \
fraud and cost down, and says of every message what happened to it.\n\n\
Send `Authorization: Bearer pst_live_…` or `pst_test_…` (or `X-API-Key`). A test key runs the whole path but never \
reaches a carrier. Operators use `Bearer pst_opr_…` under `/v1/admin`.\n\n\
Bodies are JSON in UTF-8, `snake_case`; unknown members are refused by name. Errors are `application/problem+json` \
(RFC 9457): match on `code`, show `detail`, quote `request_id`; `Accept-Language` chooses the language of `detail`, and \
`/v1/errors` lists those there are. Every mutating route takes `Idempotency-Key`. Lists \
are newest first, in pages. Times are RFC 3339 in UTC, durations `90s`, `10m`, `24h`, money a decimal string with its \
currency.";

/// The document, with `base` as its server: the public address, or `/` for one relative to itself.
pub fn document(base: &str) -> Value {
    let parts = [
        VerificationDocs::openapi(),
        BroadcastDocs::openapi(),
        WebhookDocs::openapi(),
        AccountDocs::openapi(),
        TemplateDocs::openapi(),
        BillingDocs::openapi(),
        ActivationDocs::openapi(),
        SenderDocs::openapi(),
        InboundDocs::openapi(),
        WhatsappDocs::openapi(),
        FraudDocs::openapi(),
        SentinelDocs::openapi(),
        CallbackDocs::openapi(),
        ReferenceDocs::openapi(),
        HealthDocs::openapi(),
        AdminDocs::openapi(),
    ];
    let merged = parts.into_iter().fold(MessageDocs::openapi(), utoipa::openapi::OpenApi::merge_from);
    // Cannot fail on texts and numbers under text keys; a test reads the whole.
    let mut value = serde_json::to_value(&merged).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("openapi".into(), "3.1.0".into());
        members.insert("info".into(), info());
        members.insert("servers".into(), json!([{"url": base}]));
        members.insert("tags".into(), tags());
    }
    finish(&mut value);
    value
}

fn info() -> Value {
    json!({
        "title": "Postern",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": env!("CARGO_PKG_DESCRIPTION"),
        "description": ABOUT,
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    })
}

fn tags() -> Value {
    TAGS.iter().map(|(name, about)| json!({"name": name, "description": about})).collect()
}
