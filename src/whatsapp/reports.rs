//! What carriers tell of our numbers, taken into account: Meta's word moves the tiers that Meta manages. A word that is
//! older than what is known, or says the same, changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::change::{locked, save_number, set_tier};
use super::ladder::ContactLimit;
use super::numbers::{Number, Portfolio};
use super::standing::{Manager, NumberStatus, Quality};
use super::stop::move_status;
use super::{store, told};
use crate::audit::{Actor, By};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::phone::Phone;
use crate::providers::{AccountFate, NumberEvent, NumberReport, ToldLimit};

/// Messages a second of a number after Meta's upgrade.
/// Source: <https://developers.facebook.com/docs/whatsapp/throughput>.
const UPGRADED_THROUGHPUT: i32 = 1_000;

/// Takes reports in; whether anything changed that is kept in memory: then the `Directory` and the tables of sending
/// forget what they know.
pub fn take_number_reports(conn: &mut Conn, reports: &[NumberReport], now: Millis) -> Result<bool> {
    if reports.len() > 1 {
        lock_all(conn, reports)?;
    }
    let mut changed = false;
    for report in reports {
        changed |= take(conn, report, now)?;
    }
    Ok(changed)
}

/// Locks what several reports may change before the first of them is audited: who holds the audit log's lock waits for no
/// portfolio.
fn lock_all(conn: &mut Conn, reports: &[NumberReport]) -> Result<()> {
    let mut names = BTreeSet::new();
    for report in reports {
        match report {
            NumberReport::Number { number, .. } => names.extend(find(conn, number)?.map(|number| number.portfolio)),
            NumberReport::Account { account, .. } => names.extend(portfolios_of(conn, account)?),
            NumberReport::Fate { account, .. } => {
                names.extend(in_account(conn, account)?.into_iter().map(|number| number.portfolio));
            }
            NumberReport::Person { .. } | NumberReport::Alert { .. } => {}
        }
    }
    for name in names {
        locked(conn, &name)?;
    }
    Ok(())
}

fn take(conn: &mut Conn, report: &NumberReport, now: Millis) -> Result<bool> {
    match report {
        NumberReport::Number { account, number, event, limit, at } => {
            let Some(number) = find(conn, number)? else { return passed_over("number") };
            let heard = Heard { event: *event, limit: *limit, at: at.unwrap_or(now).min(now) };
            of_number(conn, number, account.as_deref(), heard, now)
        }
        NumberReport::Account { account, limit, at } => {
            let at = at.unwrap_or(now).min(now);
            let mut changed = false;
            let portfolios = portfolios_of(conn, account)?;
            if portfolios.is_empty() {
                return passed_over("account");
            }
            for name in portfolios {
                let portfolio = locked(conn, &name)?;
                changed |= of_tier(conn, portfolio, *limit, at, ("business_capability_update", now))?;
            }
            Ok(changed)
        }
        NumberReport::Fate { account, fate, at } => of_account(conn, account, *fate, (at.unwrap_or(now).min(now), now)),
        NumberReport::Person { number, phone, user_id } => {
            if let Some(number) = find(conn, number)? {
                store::note_person(conn, number.org_id, user_id, &normal(phone), now)?;
            }
            Ok(false)
        }
        NumberReport::Alert { account, number, kind, severity } => {
            let number = number.as_deref().map(|number| find(conn, number)).transpose()?.flatten();
            let orgs: BTreeSet<OrgId> = match (&number, account) {
                (Some(number), _) => [number.org_id].into(),
                (None, Some(account)) => in_account(conn, account)?.iter().map(|number| number.org_id).collect(),
                (None, None) => BTreeSet::new(),
            };
            told::alert(conn, &orgs, (kind, severity.as_deref()), number.as_ref(), now)?;
            Ok(false)
        }
    }
}

/// What was heard of a number.
struct Heard {
    event: NumberEvent,
    limit: Option<ToldLimit>,
    at: Millis,
}

fn of_number(conn: &mut Conn, number: Number, account: Option<&str>, heard: Heard, now: Millis) -> Result<bool> {
    let portfolio = locked(conn, &number.portfolio)?;
    // Read again behind the lock.
    let Some(before) = find(conn, &number.phone)? else { return Ok(false) };
    let mut after = before.clone();
    after.waba_id = after.waba_id.or_else(|| account.map(String::from));
    let quality = match (heard.event, before.quality) {
        (NumberEvent::Flagged, _) => Quality::Red,
        (NumberEvent::Unflagged, Quality::Red) => Quality::Yellow,
        (_, as_it_is) => as_it_is,
    };
    if quality != before.quality && heard.at >= before.quality_since {
        (after.quality, after.quality_since) = (quality, heard.at);
    }
    match heard.event {
        NumberEvent::Throughput => after.throughput = UPGRADED_THROUGHPUT,
        NumberEvent::Onboarded if matches!(before.status, NumberStatus::Disconnected | NumberStatus::Blocked) => {
            after.status = NumberStatus::Connected;
        }
        _ => {}
    }
    const FIELD: &str = "phone_number_quality_update";
    let changed = after != before;
    if changed {
        save_number(conn, &by(FIELD, now), &before, after, FIELD)?;
    }
    let moved = match heard.limit {
        Some(limit) => of_tier(conn, portfolio, limit, heard.at, (FIELD, now))?,
        None => false,
    };
    Ok(changed || moved)
}

/// What becomes of an account becomes of its numbers: those that send stop, those that Meta stopped send again. What an
/// operator paused stays so. A word that is older than the number's last change says nothing.
fn of_account(conn: &mut Conn, account: &str, fate: AccountFate, (at, now): (Millis, Millis)) -> Result<bool> {
    let (from, to) = match fate {
        AccountFate::Disabled => (NumberStatus::Connected, NumberStatus::Blocked),
        AccountFate::Reinstated => (NumberStatus::Blocked, NumberStatus::Connected),
        AccountFate::Deleted => (NumberStatus::Connected, NumberStatus::Disconnected),
    };
    let mut changed = false;
    for number in in_account(conn, account)? {
        // Meta tells whole seconds.
        let is_late = at.plus(Duration::from_secs(1)) <= number.updated_at;
        if !is_late {
            changed |= move_status(conn, &by("account_update", now), &number, (from, to))?;
        }
    }
    Ok(changed)
}

fn of_tier(
    conn: &mut Conn,
    before: Portfolio,
    limit: ToldLimit,
    at: Millis,
    (field, now): (&str, Millis),
) -> Result<bool> {
    if before.managed_by != Manager::Meta || at < before.told_at {
        return Ok(false);
    }
    let limit = match limit {
        ToldLimit::Contacts(count) => ContactLimit::Limited(count),
        ToldLimit::Unlimited => ContactLimit::Unlimited,
    };
    let after = Portfolio { told_at: at, ..before.clone() };
    set_tier(conn, &by(field, now), &before, after, limit, field)
}

fn by(field: &str, now: Millis) -> By {
    By { reason: Some(format!("Meta's {field}")), ..By::local(Actor::System, now) }
}

/// The number of this address, however it is written.
fn find(conn: &mut Conn, number: &str) -> Result<Option<Number>> {
    store::find_number_by_phone(conn, &normal(number))
}

fn normal(number: &str) -> String {
    Phone::parse(number, None).map_or_else(|_| String::from(number), |phone| String::from(phone.e164()))
}

fn in_account(conn: &mut Conn, account: &str) -> Result<Vec<Number>> {
    let mut all = store::load_numbers(conn)?;
    all.retain(|number| number.waba_id.as_deref() == Some(account));
    Ok(all)
}

/// The portfolios that have numbers in Meta's `account`; where no number is known to be in it, the only one that Meta
/// manages and that has a number whose account nobody knows. Sorted: they are locked in this order.
fn portfolios_of(conn: &mut Conn, account: &str) -> Result<BTreeSet<String>> {
    let all = store::load_numbers(conn)?;
    let of = |account: Option<&str>| -> BTreeSet<String> {
        let fits = |number: &&Number| number.waba_id.as_deref() == account;
        all.iter().filter(fits).map(|number| number.portfolio.clone()).collect()
    };
    let known = of(Some(account));
    if !known.is_empty() {
        return Ok(known);
    }
    let mut open = of(None);
    for portfolio in store::load_portfolios(conn)? {
        if portfolio.managed_by != Manager::Meta {
            open.remove(&portfolio.name);
        }
    }
    Ok(if open.len() == 1 { open } else { BTreeSet::new() })
}

/// Nobody registered what this is about.
fn passed_over(what: &'static str) -> Result<bool> {
    metrics::counter!("postern_whatsapp_reports_unowned_total", "about" => what).increment(1);
    tracing::warn!(
        about = what,
        "Meta told of a WhatsApp {what} that nobody registered; see /v1/admin/whatsapp/numbers"
    );
    Ok(false)
}
