//! Numbers and sessions as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::ladder::{ContactLimit, Ladder};
use super::numbers::{Number, Portfolio};
use super::standing::{Manager, NumberStatus, Quality};
use super::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{OrgId, WhatsappNumberId};
use crate::terms::Mode;

/// A WhatsApp number as its organization sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WhatsappNumber)]
pub struct NumberView {
    /// Its id.
    pub id: WhatsappNumberId,
    /// The number, E.164.
    #[schema(example = "+14155550100")]
    phone_number: String,
    /// Whether it sends.
    status: NumberStatus,
    /// How well recipients take what it sends.
    quality: Quality,
    /// Messages a second.
    #[schema(example = 80)]
    throughput: i32,
    /// The business portfolio whose tier it shares.
    #[schema(example = "acme")]
    portfolio: String,
    /// The tier on its ladder, from 1; 0 below the first.
    #[schema(example = 2)]
    tier: usize,
    /// People who may be written to first in a moving 24 h, by all numbers of the portfolio.
    limit: ContactLimit,
    /// Those that count now, for keys of this kind (live or test).
    #[schema(example = 731)]
    contacts_used: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

/// A WhatsApp number as operators see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AdminWhatsappNumber)]
pub struct AdminNumberView {
    /// What its organization sees; contacts are those of live keys.
    #[serde(flatten)]
    pub number: NumberView,
    /// Whose.
    org_id: OrgId,
    /// The portfolio's tiers.
    ladder: Ladder,
    /// Who moves the portfolio's tier.
    managed_by: Manager,
    /// When the tier last moved.
    #[schema(value_type = String, format = DateTime)]
    tier_since: Millis,
    /// Meta's account that it is in; learned from its webhooks.
    #[schema(example = "900100200300400")]
    waba_id: Option<String>,
    /// Meta's id of it: only the carrier of this id sends for it.
    #[schema(example = "800100200300401")]
    phone_number_id: Option<String>,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

/// Numbers of one organization, newest first, as it sees them.
pub(super) fn own(
    conn: &mut Conn,
    (org, mode): (OrgId, Mode),
    before: Option<WhatsappNumberId>,
    limit: i64,
    now: Millis,
) -> Result<Vec<NumberView>> {
    let numbers = store::list_numbers(conn, Some(org), before, limit)?;
    numbers.iter().map(|number| Ok(view(conn, number, mode, now)?.0)).collect()
}

/// Numbers, newest first, as operators see them; of one organization where it is given.
pub fn list_for_operators(
    conn: &mut Conn,
    org: Option<OrgId>,
    before: Option<WhatsappNumberId>,
    limit: i64,
    now: Millis,
) -> Result<Vec<AdminNumberView>> {
    let numbers = store::list_numbers(conn, org, before, limit)?;
    numbers.iter().map(|number| show_to_operators(conn, number, now)).collect()
}

/// One number as operators see it.
pub fn show_to_operators(conn: &mut Conn, number: &Number, now: Millis) -> Result<AdminNumberView> {
    let (own, portfolio) = view(conn, number, Mode::Live, now)?;
    Ok(AdminNumberView {
        number: own,
        org_id: number.org_id,
        ladder: portfolio.ladder,
        managed_by: portfolio.managed_by,
        tier_since: portfolio.tier_since,
        waba_id: number.waba_id.clone(),
        phone_number_id: number.phone_number_id.clone(),
        updated_at: number.updated_at.max(portfolio.updated_at),
    })
}

fn view(conn: &mut Conn, number: &Number, mode: Mode, now: Millis) -> Result<(NumberView, Portfolio)> {
    let portfolio = store::find_portfolio(conn, &number.portfolio)?
        .ok_or_else(|| Error::internal("a number without its portfolio"))?;
    let used = store::used_now(conn, &(number.portfolio.clone(), mode), now)?;
    let shown = NumberView {
        id: number.id,
        phone_number: number.phone.clone(),
        status: number.status,
        quality: number.quality,
        throughput: number.throughput,
        portfolio: number.portfolio.clone(),
        tier: portfolio.ladder.tier_of(portfolio.limit),
        limit: portfolio.limit,
        contacts_used: used,
        created_at: number.created_at,
    };
    Ok((shown, portfolio))
}

/// Whether a user may be written to freely.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WhatsappSession)]
pub struct SessionView {
    /// Who: a number in E.164, or a business-scoped user id.
    #[schema(example = "+14155550123")]
    pub(super) to: String,
    /// Whether a session is open with any of your numbers: then text and templates may be sent; else templates only.
    pub(super) open: bool,
    /// By number, the latest to close first.
    pub(super) sessions: Vec<WithNumber>,
}

/// A session with one of your numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WhatsappSessionWithNumber)]
pub struct WithNumber {
    /// Your number that was written to.
    #[schema(example = "+14155550100")]
    pub(super) number: String,
    /// Whether it is open.
    pub(super) open: bool,
    /// When the user last wrote to it.
    #[schema(value_type = String, format = DateTime)]
    pub(super) last_message_at: Millis,
    /// When it closes, or closed.
    #[schema(value_type = String, format = DateTime)]
    pub(super) closes_at: Millis,
}
