//! The pages, a file each, and the lists of every table and form of theirs.

mod activations;
mod channels;
mod developers;
mod fraud;
mod request;
mod messages;
mod now;
mod system;
mod tenant;
mod tenants;
mod webhooks;

use actix_web::web::ServiceConfig;

use crate::console::form::Form;
use crate::console::listing::Listing;

/// Every table, for exports and for the test of the contract.
pub(super) static LISTINGS: &[&Listing] = &[
    &now::ALERTS,
    &now::CARRIERS_NOW,
    &now::COUNTRIES_NOW,
    &fraud::HEAT,
    &fraud::RULES,
    &fraud::RULE_STATS,
    &fraud::SIMULATIONS,
    &fraud::LISTS,
    &fraud::HOLDS,
    &fraud::TOPS,
    &fraud::DECISIONS,
    &tenants::ORGS,
    &tenants::PLANS,
    &tenant::KEYS,
    &tenant::ORG_LIMITS,
    &tenant::CAPS,
    &tenant::TRANSACTIONS,
    &tenant::INVOICES,
    &tenant::TENANT_TEMPLATES,
    &channels::CARRIERS,
    &channels::TESTS,
    &channels::TEST_RECEIPTS,
    &channels::ROUTES,
    &channels::CONVERSION,
    &channels::ROUTE_HISTORY,
    &channels::SENDERS,
    &channels::WHATSAPP_NUMBERS,
    &channels::TEMPLATES,
    &channels::PAUSES,
    &channels::PRICES,
    &messages::MESSAGES,
    &messages::RELATED,
    &messages::REFUSED,
    &messages::ERASURES,
    &activations::NUMBERS,
    &activations::SERVICES,
    &webhooks::WEBHOOKS,
    &webhooks::CARRIER_CALLS,
    &webhooks::DELIVERIES,
    &developers::REQUESTS,
    &developers::ERRORS,
    &developers::LIMITS_REFUSED,
    &developers::DEPRECATED,
    &system::FINDINGS,
    &system::NODES,
    &system::QUEUES,
    &system::JOBS,
    &system::CONFIG,
    &system::BACKUPS,
    &system::audit::AUDIT,
    &system::audit::CHECKPOINTS,
    &system::operators::OPERATORS,
    &system::operators::SESSIONS,
    &system::operators::TOKENS,
];

/// Every form, for what is sent and for the test of the contract.
pub(super) static FORMS: &[&Form] = &[
    &now::ACKNOWLEDGE,
    &fraud::CHANGE_RULE,
    &fraud::REPLAY_RULE,
    &fraud::ADD_ENTRY,
    &fraud::REMOVE_ENTRY,
    &fraud::RELEASE_HOLD,
    &tenants::NEW_ORG,
    &tenant::CHANGE_ORG,
    &tenant::SUSPEND,
    &tenant::UNSUSPEND,
    &tenant::CHANGE_PLAN,
    &tenant::NEW_KEY,
    &tenant::ROTATE_KEY,
    &tenant::REVOKE_KEY,
    &tenant::SET_LIMIT,
    &tenant::REMOVE_LIMIT,
    &tenant::SET_CAPS,
    &tenant::TOP_UP,
    &tenant::ADJUST,
    &tenant::WRITE_INVOICE,
    &channels::PAUSE,
    &channels::RESUME,
    &channels::END_PAUSE,
    &channels::DRAIN_CARRIER,
    &channels::RESUME_CARRIER,
    &channels::TEST_CARRIER,
    &channels::TEST_TEMPLATE,
    &channels::PAUSE_ROUTE,
    &channels::RESUME_ROUTE,
    &channels::PUT_ROUTES,
    &channels::NEW_SENDER,
    &channels::REMOVE_SENDER,
    &channels::NEW_WHATSAPP_NUMBER,
    &channels::CHANGE_WHATSAPP_NUMBER,
    &channels::APPROVE_TEMPLATE,
    &channels::REJECT_TEMPLATE,
    &messages::CANCEL_MESSAGE,
    &messages::SETTLE_MESSAGE,
    &messages::RESEND_MESSAGE,
    &messages::BLOCK_NUMBER,
    &messages::REVEAL_MESSAGE,
    &messages::FALSE_POSITIVE,
    &messages::FALSE_POSITIVE_OF,
    &messages::ERASE,
    &activations::ADD_NUMBERS,
    &activations::CHANGE_NUMBER,
    &activations::PUT_SERVICE,
    &webhooks::TEST_WEBHOOK,
    &webhooks::REPLAY_EVENT,
    &webhooks::REPLAY_FAILED,
    &webhooks::DISABLE_WEBHOOK,
    &webhooks::ENABLE_WEBHOOK,
    &webhooks::ROTATE_WEBHOOK,
    &system::BACK_UP,
    &system::audit::NEW_CHECKPOINT,
    &system::operators::NEW_OPERATOR,
    &system::operators::INVITE,
    &system::operators::REMOVE_FACTOR,
    &system::operators::CHANGE_OPERATOR,
    &system::operators::DISABLE,
    &system::operators::ENABLE,
    &system::operators::END_SESSION,
    &system::operators::NEW_TOKEN,
    &system::operators::REVOKE_TOKEN,
];

/// The layers of the messages' chart, for the translations.
pub(super) fn chart_words() -> impl Iterator<Item = &'static str> {
    messages::LAYERS.iter().map(|layer| layer.0)
}

pub(super) fn configure(routes: &mut ServiceConfig) {
    now::configure(routes);
    fraud::configure(routes);
    tenants::configure(routes);
    tenant::configure(routes);
    channels::configure(routes);
    messages::configure(routes);
    activations::configure(routes);
    webhooks::configure(routes);
    developers::configure(routes);
    request::configure(routes);
    system::configure(routes);
}
