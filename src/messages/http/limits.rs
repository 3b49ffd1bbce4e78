//! `GET /v1/limits`: every policy that applies to this key, as it stands.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::ReadRefusals;
use super::read::address_of;
use crate::accounts::{Caller, door_view};
use crate::app::App;
use crate::error::Result;
use crate::http::{Query, reply};
use crate::limits::{Allowance, Policy, Verdict};
use crate::messages::GuardKind;
use crate::messages::gates::{check_policies, tag_of};
use crate::messages::store::{self, Lock};
use crate::messages::view::LimitView;
use crate::phone::address_mac;
use crate::whatsapp;

/// Whose message-level limits to show besides the key's own.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFilter {
    /// A number (E.164) or mail address: adds its own OTP limits as they stand.
    to: Option<String>,
}

/// Every limit that applies.
#[derive(Serialize, ToSchema)]
pub struct Limits {
    /// Limits in force, with what is used of them.
    data: Vec<LimitView>,
    /// Policies without a limit for this key.
    unlimited: Vec<String>,
}

/// Show every limit that applies to this key.
#[utoipa::path(
    tag = "Account",
    path = "/v1/limits",
    params(LimitsFilter),
    responses((status = 200, description = "Limits as they stand", body = Limits), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/limits")]
pub(super) async fn list_limits(caller: Caller, app: Data<App>, query: Query<LimitsFilter>) -> Result<HttpResponse> {
    let to = query.0.to.map(|text| address_of(&text)).transpose()?;
    let subject = to.map(|address| address_mac(&app.keyring, &address));
    reply::ok(&limits_of(&app, &caller, subject).await?)
}

/// Every limit that applies to `caller`, as it stands; with `subject`, the MAC of an address, its own ones too.
///
/// # Errors
/// What the database says.
pub async fn limits_of(app: &Data<App>, caller: &Caller, subject: Option<Vec<u8>>) -> Result<Limits> {
    let mut verdicts: Vec<Verdict> = door_view(app, caller).await.iter().copied().collect();
    verdicts.extend(message_level(app, caller, subject).await?);
    let unlimited = Policy::ALL
        .iter()
        // What a tier allows is not the key's.
        .filter(|policy| **policy != Policy::WhatsappContacts)
        .filter(|policy| caller.policies.get(**policy) == Allowance::Unlimited)
        .map(ToString::to_string)
        .collect();
    Ok(Limits { data: verdicts.iter().map(LimitView::from).collect(), unlimited })
}

async fn message_level(app: &Data<App>, caller: &Caller, subject: Option<Vec<u8>>) -> Result<Vec<Verdict>> {
    let (caller, clock) = (caller.clone(), app.clock.clone());
    app.db
        .read(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            let mut verdicts = Vec::new();
            if let Allowance::Rate(rate) = caller.policies.get(Policy::SmsPlan) {
                let owner = (caller.org_id(), caller.mode());
                let plan = store::load_plan(conn, owner, rate, Lock::Peek, now)?;
                verdicts.push(plan.value.check(Policy::SmsPlan, rate, now));
            }
            verdicts.extend(whatsapp::tier_verdicts(conn, caller.org_id(), caller.mode(), now)?);
            let Some(subject) = subject else { return Ok(verdicts) };
            let tag = tag_of(caller.org_id());
            let codes = [Policy::OtpNumber, Policy::OtpNumberHour, Policy::OtpNumberDay].map(|policy| (policy, tag));
            let checks = check_policies(caller.org_id());
            for (kind, policies) in [(GuardKind::Otp, codes.as_slice()), (GuardKind::Check, &checks)] {
                let key = (kind, caller.mode(), subject.clone());
                let logs = store::load_guards(conn, &[key].into(), Lock::Peek, now)?;
                for (log, (policy, tag)) in logs.iter().flat_map(|(_, log)| policies.iter().map(move |of| (log, of))) {
                    if let Allowance::Rate(rate) = caller.policies.get(*policy) {
                        verdicts.push(log.value.check(Some(*tag), *policy, rate, now));
                    }
                }
            }
            Ok(verdicts)
        })
        .await
}
