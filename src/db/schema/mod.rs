//! The tables, as diesel sees them: the common subset of both databases. True to `migrations/`, by test.
#![expect(missing_docs, reason = "diesel generates modules and columns; the columns are told in the migrations")]

mod billing;
mod fraud;
mod house;
mod routing;
mod sending;
mod money;
mod verifying;
mod webhooks;

pub use billing::*;
pub use fraud::*;
pub use house::*;
pub use money::*;
pub use routing::*;
pub use sending::*;
pub use verifying::*;
pub use webhooks::*;

diesel::allow_tables_to_appear_in_same_query! {
    plans, orgs, limit_overrides, api_keys, operators, operator_tokens, audit_head, audit_log, idempotency,
    guard_windows, org_windows, door_windows, wallets, wallet_entries, prices, routes, batches, messages, attempts,
    message_events, receipts, decisions, sandbox_inbox, verifications, verification_sends, jobs, nodes,
    inbound_messages, opt_outs, spend_caps, spend_windows, fraud_lists,
    versions, webhook_endpoints, webhook_events, webhook_deliveries, route_events, carrier_drains, senders,
    topups, wallet_settings, billing_profiles, counters, invoices, allowances
}
