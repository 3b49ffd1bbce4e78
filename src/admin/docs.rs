//! The operators' part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use crate::admin::{
    activations, alerts, audit, billing, books, caps, carriers, checkpoints, decisions, erasures, events, fees, fraud,
    holds, inbound, keys, limits, lists, messages, now, operators, orgs, pauses, plans, prices, requests, route_stats,
    routes, rules, senders, sessions, simulations, system, templates, trials, wallets, webhooks, whatsapp,
};
use crate::error::Code;
use crate::http::problem::Problem;
use crate::http::refusals::refusals;

/// Every operators' route and shape.
#[derive(OpenApi)]
#[openapi(
    paths(
        now::show_overview,
        now::follow_tail,
        alerts::list_alerts,
        alerts::show_alert,
        alerts::acknowledge_alert,
        orgs::create_org,
        orgs::list_orgs,
        orgs::show_org,
        orgs::update_org,
        keys::create_key,
        keys::list_keys,
        keys::search_keys,
        keys::rotate_key,
        keys::revoke_key,
        limits::list_org_limits,
        limits::set_org_limit,
        limits::remove_org_limit,
        limits::list_key_limits,
        limits::show_key_usage,
        limits::set_key_limit,
        limits::remove_key_limit,
        plans::list_plans,
        plans::update_plan,
        fees::list_plan_fees,
        fees::replace_plan_fees,
        operators::create_operator,
        operators::list_operators,
        operators::show_operator,
        operators::update_operator,
        operators::create_operator_token,
        operators::list_operator_tokens,
        operators::revoke_operator_token,
        operators::remove_second_factor,
        sessions::list_sessions,
        sessions::end_session,
        sessions::invite_operator,
        audit::list_audit,
        audit::verify_audit,
        checkpoints::list_checkpoints,
        checkpoints::create_checkpoint,
        checkpoints::show_key,
        checkpoints::prove,
        system::show_system,
        system::create_backup,
        system::list_backups,
        system::support_bundle,
        system::list_jobs,
        requests::list_requests,
        requests::summarize_requests,
        requests::trace_request,
        webhooks::list_webhooks,
        webhooks::show_webhook,
        webhooks::list_deliveries,
        webhooks::test_webhook,
        webhooks::replay_webhook,
        webhooks::disable_webhook,
        webhooks::enable_webhook,
        webhooks::rotate_webhook,
        webhooks::list_carrier_calls,
        routes::list_routes,
        routes::replace_routes,
        routes::pause_route,
        routes::resume_route,
        route_stats::route_history,
        route_stats::route_conversion,
        carriers::list_carriers,
        carriers::drain_carrier,
        carriers::resume_carrier,
        trials::test_carrier,
        trials::list_trials,
        trials::show_trial,
        senders::create_sender,
        senders::list_senders,
        senders::show_sender,
        senders::remove_sender,
        whatsapp::create_whatsapp_number,
        whatsapp::list_whatsapp_numbers,
        whatsapp::show_whatsapp_number,
        whatsapp::change_whatsapp_number,
        whatsapp::remove_whatsapp_number,
        templates::list_org_templates,
        templates::show_org_template,
        templates::approve_template,
        templates::reject_template,
        prices::list_prices,
        prices::list_price_history,
        prices::list_margins,
        prices::replace_prices,
        wallets::show_wallet,
        wallets::adjust_wallet,
        billing::create_topup,
        billing::settle_topup,
        billing::issue_invoice,
        billing::show_profile,
        billing::change_profile,
        billing::show_accounts,
        billing::show_ledger,
        books::list_org_topups,
        books::list_org_invoices,
        books::show_org_invoice,
        books::list_org_transactions,
        caps::list_caps,
        caps::replace_caps,
        inbound::list_unowned_inbound,
        lists::list_list_entries,
        lists::add_platform_entry,
        lists::remove_platform_entry,
        decisions::list_decisions,
        decisions::show_decision,
        fraud::show_fraud_summary,
        fraud::show_fraud_heat,
        fraud::list_fraud_tops,
        fraud::list_rule_stats,
        holds::list_holds,
        holds::show_hold,
        holds::release_hold,
        rules::list_rules,
        rules::replace_rules,
        rules::change_rule,
        simulations::create_simulation,
        simulations::replay_rule,
        simulations::list_simulations,
        simulations::show_simulation,
        pauses::list_pauses,
        pauses::begin_pause,
        pauses::end_pause,
        activations::list_services,
        activations::put_service,
        activations::add_numbers,
        activations::list_numbers,
        activations::show_number,
        activations::change_number,
        erasures::order_erasure,
        erasures::list_erasures,
        erasures::show_erasure,
        messages::search_messages,
        messages::count_all_messages,
        messages::trace_message,
        messages::list_related_messages,
        messages::cancel_any_message,
        messages::resend_message,
        messages::reveal_message,
        messages::block_recipient,
        messages::report_false_positive,
        messages::settle_message,
        messages::list_activity,
        events::list_events,
    ),
    components(schemas(Problem))
)]
pub struct AdminDocs;

/// What a route that reads may refuse with.
pub(super) struct ReadRefusals;

/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;

const COMMON: [Code; 6] = [
    Code::Unauthenticated,
    Code::KeyRevoked,
    Code::KeyExpired,
    Code::PermissionDenied,
    Code::RateLimited,
    Code::Overloaded,
];

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[COMMON.as_slice(), &[Code::ValidationFailed, Code::NotFound, Code::Internal]].concat())
    }
}

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = [
            Code::ValidationFailed,
            Code::MalformedRequest,
            Code::NotFound,
            Code::RequestTimeout,
            Code::IdempotencyMismatch,
            Code::IdempotencyInFlight,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
            Code::Internal,
            Code::StorageFull,
        ];
        refusals(&[COMMON.as_slice(), &own].concat())
    }
}
