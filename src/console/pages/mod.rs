//! The pages, a file each, and the lists of every table and form of theirs.

mod activations;
mod channels;
mod operators;
mod tenant;
mod tenants;

use actix_web::web::ServiceConfig;

use crate::console::form::Form;
use crate::console::listing::Listing;

/// Every table, for exports and for the test of the contract.
pub(super) static LISTINGS: &[&Listing] = &[
    &tenants::ORGS,
    &tenants::PLANS,
    &tenant::KEYS,
    &tenant::ORG_LIMITS,
    &tenant::CAPS,
    &tenant::TRANSACTIONS,
    &tenant::INVOICES,
    &tenant::TENANT_TEMPLATES,
    &channels::CARRIERS,
    &channels::ROUTES,
    &channels::CONVERSION,
    &channels::ROUTE_HISTORY,
    &channels::SENDERS,
    &channels::WHATSAPP_NUMBERS,
    &channels::TEMPLATES,
    &channels::PAUSES,
    &channels::PRICES,
    &activations::NUMBERS,
    &activations::SERVICES,
    &operators::OPERATORS,
    &operators::SESSIONS,
    &operators::TOKENS,
];

/// Every form, for what is sent and for the test of the contract.
pub(super) static FORMS: &[&Form] = &[
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
    &channels::DRAIN_CARRIER,
    &channels::RESUME_CARRIER,
    &channels::PAUSE_ROUTE,
    &channels::RESUME_ROUTE,
    &channels::PUT_ROUTES,
    &channels::NEW_SENDER,
    &channels::REMOVE_SENDER,
    &channels::NEW_WHATSAPP_NUMBER,
    &channels::CHANGE_WHATSAPP_NUMBER,
    &channels::APPROVE_TEMPLATE,
    &channels::REJECT_TEMPLATE,
    &activations::ADD_NUMBERS,
    &activations::CHANGE_NUMBER,
    &activations::PUT_SERVICE,
    &operators::NEW_OPERATOR,
    &operators::CHANGE_OPERATOR,
    &operators::DISABLE_OPERATOR,
    &operators::INVITE,
    &operators::NEW_TOKEN,
    &operators::REVOKE_TOKEN,
    &operators::END_SESSION,
];

pub(super) fn configure(routes: &mut ServiceConfig) {
    tenants::configure(routes);
    tenant::configure(routes);
    channels::configure(routes);
    activations::configure(routes);
    operators::configure(routes);
}
