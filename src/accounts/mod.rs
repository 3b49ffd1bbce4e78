//! Accounts: organizations, their plans, limits and keys, the operators, and the guard at the door.

mod amend;
mod boosts;
mod caller;
mod change;
mod countries;
mod credential;
mod cycle;
mod directory;
mod door;
mod extract;
mod guard;
mod guarding;
mod http;
mod keys;
mod operator;
mod operators;
mod org;
mod overrides;
mod plans;
mod role;
mod scope;
mod store;
mod token;

pub use amend::{OperatorPatch, update_operator};
pub use boosts::set_send_boost;
pub use caller::{Caller, Standing, working_caller};
pub use change::{change_bare, change_once, change_sealed, respond, stored, stored_nothing};
pub use countries::Countries;
pub use cycle::{apply_due_plans, plans_of};
pub use directory::Directory;
pub use door::{count_stranger, door_view, stranger_view};
pub use guard::{admit_activation_client, find_activation_client, guard, operator_guard};
pub use guarding::{CountryMode, Guarding};
pub use http::{AccountDocs, AccountView, show_account};
pub use keys::{KeyKind, KeySearch, KeyView, NewKey, create_key, list_keys, revoke_key, rotate_key};
pub use operator::{Operator, Via};
pub use operators::{
    NewOperator, OperatorView, TokenTerms, TokenView, create_operator, create_operator_token, ensure_first_owner,
    find_operator, find_operator_named, list_operator_tokens, list_operators, revoke_operator_token,
};
pub use org::{
    KybStatus, NewOrg, Org, OrgPatch, OrgStatus, PlanWhen, Protection, SubscriptionStatus, create_org, list_orgs,
    load_org, only_org, update_org,
};
pub use overrides::{Bearer, LimitOverride, NewOverride, list_overrides, remove_override, set_override};
pub use plans::{Plan, PlanChange, PlanName, list_plans, seed, update_plan};
pub use role::{Duty, Role};
pub use scope::{Scope, Scopes};
