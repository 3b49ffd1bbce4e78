//! What carriers tell of templates that were submitted to them. Repeats and reports that come late change nothing.

use serde_json::json;

use super::change::move_to;
use super::status::{Deed, Status};
use super::store::{self, Row, Version};
use super::told::{tell_change, tell_quality};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::providers::{TemplateNews, TemplateReport, TemplateState};

/// Applies reports, oldest first. What is about a template that is not ours is passed over: an account may have others.
pub fn take_reports(conn: &mut Conn, reports: &[TemplateReport], now: Millis) -> Result<()> {
    let mut reports: Vec<&TemplateReport> = reports.iter().collect();
    reports.sort_by_key(|report| report.at);
    for report in reports {
        let versions = store::of_remote(conn, &report.account, &report.name)?;
        for version in versions {
            let mut row = store::find_locked(conn, version.template_id)?;
            // Read again behind the lock.
            let mut version = store::load_version(conn, row.id, version.version)?;
            if is_about(&row, &version, report) {
                apply(conn, (&mut row, &mut version), report, now)?;
            }
        }
    }
    Ok(())
}

/// A template that a carrier would not send because of the state it is in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// The carrier's account.
    pub account: String,
    /// The template's name there.
    pub name: String,
    /// Its language, a BCP 47 tag.
    pub locale: String,
    /// The state it is said to be in.
    pub state: TemplateState,
    /// When it was to be sent, by our clock.
    pub at: Millis,
}

/// Takes note that a template was not sent: as a webhook would move it, so that the next message is refused at once.
/// Whether it moved: only one that was approved does, and not by a word that is older than the last one told.
pub fn take_unsent(conn: &mut Conn, unsent: &Unsent, now: Millis) -> Result<bool> {
    let mut moved = false;
    for version in store::of_remote(conn, &unsent.account, &unsent.name)? {
        let mut row = store::find_locked(conn, version.template_id)?;
        // Read again behind the lock.
        let mut version = store::load_version(conn, row.id, version.version)?;
        let is_late = version.told_at.is_some_and(|told| told > unsent.at);
        if version.status != Status::Approved || row.locale != unsent.locale || is_late {
            continue;
        }
        if let Some(next) = version.status.after(Deed::Told(unsent.state)) {
            // The carrier's clock tells whole seconds.
            version.told_at = Some(Millis(unsent.at.0 - unsent.at.0.rem_euclid(1_000)));
            let reason = String::from("the carrier did not send it: by its word the template is in this state there");
            move_to(conn, (&mut row, &mut version), next, Some(reason), now)?;
            moved = true;
        }
    }
    Ok(moved)
}

/// A name stands for one template in each language; the id is certain, once it is known.
fn is_about(row: &Row, version: &Version, report: &TemplateReport) -> bool {
    match &version.remote_id {
        Some(id) => *id == report.id,
        None => report.language.replace('_', "-").eq_ignore_ascii_case(&row.locale),
    }
}

fn apply(
    conn: &mut Conn,
    (row, version): (&mut Row, &mut Version),
    report: &TemplateReport,
    now: Millis,
) -> Result<()> {
    version.remote_id = Some(report.id.clone());
    match &report.news {
        TemplateNews::State(state, reason) => {
            // Webhooks are repeated for days: what is older than what was told last is over.
            if report.at < version.told_at {
                return Ok(());
            }
            version.told_at = report.at.or(version.told_at);
            match state.and_then(|state| version.status.after(Deed::Told(state))) {
                Some(next) => move_to(conn, (row, version), next, reason.clone(), now),
                None => store::save(conn, row, version),
            }
        }
        TemplateNews::Quality(quality) => {
            let before = version.quality.replace(quality.clone());
            store::save(conn, row, version)?;
            if before.as_ref() == Some(quality) {
                return Ok(());
            }
            tell_quality(conn, (row, version), before.as_deref(), now)
        }
        TemplateNews::Category(category) => {
            let before = std::mem::replace(&mut row.category, *category);
            store::save(conn, row, version)?;
            if before == *category {
                return Ok(());
            }
            tell_change(conn, (row, version), &json!({"category": category, "previous": before}), now)
        }
        // The words that were approved there are what people see; ours fill its placeholders by their order.
        TemplateNews::Words(body) => {
            let change = json!({"body": body});
            store::save(conn, row, version)?;
            tell_change(conn, (row, version), &change, now)
        }
    }
}
