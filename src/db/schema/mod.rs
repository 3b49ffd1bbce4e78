//! The tables, as diesel sees them: the common subset of both databases. True to `migrations/`, by test.
#![expect(missing_docs, reason = "diesel generates modules and columns; the columns are told in the migrations")]

mod billing;
mod broadcasting;
mod erasing;
mod fees;
mod fraud;
mod house;
mod keeping;
mod listeners;
mod mailing;
mod money;
mod own_templates;
mod pacing;
mod renting;
mod requesting;
mod routing;
mod sending;
mod sentinel;
mod signin;
mod trying;
mod verifying;
mod warning;
mod webhooks;
mod whatsapp;

pub use billing::*;
pub use broadcasting::*;
pub use erasing::*;
pub use fees::*;
pub use fraud::*;
pub use house::*;
pub use keeping::*;
pub use listeners::*;
pub use mailing::*;
pub use money::*;
pub use own_templates::*;
pub use pacing::*;
pub use renting::*;
pub use requesting::*;
pub use routing::*;
pub use sending::*;
pub use sentinel::*;
pub use signin::*;
pub use trying::*;
pub use verifying::*;
pub use warning::*;
pub use webhooks::*;
pub use whatsapp::*;

diesel::allow_tables_to_appear_in_same_query! {
    activation_messages, activation_numbers, activation_places, activation_services, activations, alert_mails, alerts,
    allowances, api_keys, attempts, audit_head, audit_log, batches, billing_profiles, broadcast_contacts, broadcasts,
    carrier_drains, carrier_tests, counters, decisions, door_windows, erasures, fraud_holds, fraud_lists, fraud_rules, fraud_simulations,
    guard_windows, idempotency, inbound_messages, invoices, jobs, limit_overrides, message_events, messages, nodes,
    operator_guesses, operator_links, operator_logins, operator_recovery, operator_sessions, operator_tokens, operators, open_alerts, opt_outs, org_windows, orgs, pairs, pauses, plans, prices, receipts, route_events,
    routes, sandbox_inbox, send_boosts, senders, spend_caps, spend_windows, template_versions, templates, topups,
    verification_sends, verifications, versions, wallet_entries, wallet_settings, wallets, webhook_deliveries,
    webhook_endpoints, webhook_events, webhook_listeners, webhook_unheard, whatsapp_contacts, whatsapp_numbers,
    whatsapp_people, whatsapp_portfolios, whatsapp_windows
}
