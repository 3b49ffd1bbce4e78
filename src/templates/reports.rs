//! What carriers tell of templates that were submitted to them. Repeats and reports that come late change nothing.

use serde_json::json;

use super::change::move_to;
use super::status::Deed;
use super::store::{self, Row, Version};
use super::told::{tell_change, tell_quality};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::providers::{TemplateNews, TemplateReport};

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
