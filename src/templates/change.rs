//! What owners and operators do with a template: ledger steps.

use super::TemplateName;
use super::status::{Deed, Edit, Status};
use super::store::{self, Row, Version, Whole};
use super::submit::{Reviewer, enqueue};
use super::told::tell_status;
use super::words::Words;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::TemplateId;
use crate::providers::{CodeButton, TemplateCategory};
use crate::terms::{Channel, Mode};
use crate::webhooks::Owner;

/// Most templates of an organization in each mode.
const TEMPLATES_MAX: i64 = 1_000;
/// Longest name: Meta takes 512 characters, and ours gets a suffix there.
const NAME_MAX: usize = 60;

/// A template to be made.
pub struct NewTemplate {
    /// Its name.
    pub name: String,
    /// On this channel.
    pub channel: Channel,
    /// In this language, as it is usually written.
    pub locale: String,
    /// What for.
    pub category: TemplateCategory,
    /// What it says, not checked yet.
    pub words: Words,
}

/// What changes of a template's words; what is absent stays, and an empty text takes away.
#[derive(Default)]
pub struct Patch {
    /// See [`Words`], as the members below.
    pub subject: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// The small line below.
    pub footer: Option<String>,
    /// An example for each placeholder.
    pub examples: Option<std::collections::BTreeMap<String, String>>,
    /// How a code is taken over.
    pub button: Option<CodeButton>,
    /// Whether Meta's text says not to share the code.
    pub security_recommendation: Option<bool>,
    /// For how many minutes Meta's text says that the code is good.
    pub expiry_minutes: Option<u8>,
}

/// A name that messages can use, there and at a carrier. The error completes "`name` …".
pub fn name_fault(name: &str) -> Option<String> {
    let is_shaped = (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (!is_shaped).then(|| format!("must have 1 to {NAME_MAX} characters of a-z, 0-9 and _"))
}

/// Makes a template, a draft. Errors: `validation_failed`, also where there is one like it or there are too many.
pub fn create(conn: &mut Conn, owner: Owner, new: NewTemplate, now: Millis) -> Result<Whole> {
    let words = new.words.checked(new.channel, new.category)?;
    check_built_in(&new.name, new.category)?;
    if store::count(conn, owner)? >= TEMPLATES_MAX {
        return Err(Error::field(
            "name",
            format!("would be one more than {TEMPLATES_MAX} templates; delete one first"),
        ));
    }
    let row = Row {
        id: TemplateId::new(now),
        org_id: owner.0,
        mode: owner.1,
        name: new.name,
        channel: new.channel,
        locale: new.locale,
        category: new.category,
        latest: 1,
        live: None,
        created_at: now,
        updated_at: now,
    };
    let latest = draft(&row, 1, &words, now)?;
    if !store::insert(conn, &row, &latest)? {
        return Err(Error::field("name", "is taken for this channel and locale; change that template instead"));
    }
    Ok(Whole { row, latest, live: None })
}

/// A template of a built-in's name stands in for it wherever a code is sent: it has to be able to.
fn check_built_in(name: &str, category: TemplateCategory) -> Result<()> {
    let is_built_in = name.parse::<TemplateName>().is_ok();
    if is_built_in && category != TemplateCategory::Authentication {
        return Err(Error::field(
            "category",
            "must be authentication: this name is one of the built-in texts for codes",
        ));
    }
    Ok(())
}

/// Changes the words. What was approved is left as it is and goes on sending; a new version begins, a draft.
/// Errors: `not_found`; `validation_failed`, also while it is under review.
pub fn update(conn: &mut Conn, owner: Owner, id: TemplateId, patch: Patch, now: Millis) -> Result<Whole> {
    let mut row = load_locked(conn, owner, id)?;
    let mut latest = store::load_version(conn, id, row.latest)?;
    let words = patched(latest.words()?, patch);
    if words == latest.words()? {
        return store::whole(conn, row);
    }
    let words = words.checked(row.channel, row.category)?;
    row.updated_at = now;
    match latest.status.edit() {
        Edit::Refused => {
            return Err(Error::field("status", "is pending; a template can be changed once its review has ended"));
        }
        Edit::InPlace => {
            latest = Version { created_at: latest.created_at, ..draft(&row, latest.version, &words, now)? };
        }
        Edit::Anew => {
            row.latest = row.latest.saturating_add(1);
            latest = draft(&row, row.latest, &words, now)?;
            store::insert_version(conn, &latest)?;
        }
    }
    store::save(conn, &row, &latest)?;
    store::whole(conn, row)
}

fn patched(words: Words, patch: Patch) -> Words {
    let text = |new: Option<String>, old: Option<String>| match new {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text),
        None => old,
    };
    Words {
        subject: text(patch.subject, words.subject),
        body: text(patch.body, words.body),
        footer: text(patch.footer, words.footer),
        examples: patch.examples.unwrap_or(words.examples),
        button: patch.button.or(words.button),
        security_recommendation: patch.security_recommendation.unwrap_or(words.security_recommendation),
        expiry_minutes: patch.expiry_minutes.or(words.expiry_minutes),
    }
}

/// Removes a template; messages that it was chosen for go out with its words. Error: `not_found`.
pub fn remove(conn: &mut Conn, owner: Owner, id: TemplateId) -> Result<()> {
    load_locked(conn, owner, id)?;
    store::delete(conn, id)
}

/// Hands the latest version in: to `reviewer`, which a job calls, or to an operator where there is none. The sandbox
/// approves at once. Errors: `not_found`; `validation_failed` where there is nothing to hand in.
pub fn submit(
    conn: &mut Conn,
    owner: Owner,
    id: TemplateId,
    reviewer: impl FnOnce(&mut Conn, &Row) -> Result<Option<Reviewer>>,
    now: Millis,
) -> Result<Whole> {
    let mut row = load_locked(conn, owner, id)?;
    let mut latest = store::load_version(conn, id, row.latest)?;
    // The tries to submit it may have been given up: handing it in again begins them anew.
    if latest.status == Status::Pending && latest.submit_error.take().is_some() && latest.remote_id.is_none() {
        enqueue(conn, &latest, now)?;
        store::save(conn, &row, &latest)?;
        return store::whole(conn, row);
    }
    let next = latest
        .status
        .after(Deed::Submit)
        .ok_or_else(|| wrong(latest.status, "only a draft or a rejected one can be submitted"))?;
    latest.submitted_at = Some(now);
    (latest.submit_error, latest.decided_at, latest.told_at) = (None, None, None);
    if owner.1 == Mode::Test {
        move_to(conn, (&mut row, &mut latest), Status::Approved, None, now)?;
        return store::whole(conn, row);
    }
    if let Some(reviewer) = reviewer(conn, &row)? {
        latest.remote_name = Some(remote_name(&row, latest.version));
        latest.remote_id = None;
        (latest.reviewer, latest.account) = (Some(reviewer.carrier), Some(reviewer.account));
        enqueue(conn, &latest, now)?;
    } else {
        (latest.reviewer, latest.account, latest.remote_name, latest.remote_id) = (None, None, None, None);
    }
    move_to(conn, (&mut row, &mut latest), next, None, now)?;
    store::whole(conn, row)
}

/// Names are unique in a carrier's account, which several organizations may share; and what was approved there goes on
/// sending while its next version is looked at, which therefore is another template there.
fn remote_name(row: &Row, version: i32) -> String {
    let org = row.org_id.as_str();
    let tail = org.get(org.len().saturating_sub(8)..).unwrap_or(org);
    match version {
        1 => format!("{}_{tail}", row.name),
        later => format!("{}_{tail}_v{later}", row.name),
    }
}

/// An operator's word on the latest version, or (`reject` only) on the one that sends where the latest awaits nothing.
/// Errors: `not_found`; `validation_failed` where its state does not take that.
pub fn judge(
    conn: &mut Conn,
    id: TemplateId,
    deed: Deed,
    reason: Option<String>,
    now: Millis,
) -> Result<(Whole, Whole)> {
    let mut row = store::find_locked(conn, id)?;
    let before = store::whole(conn, row.clone())?;
    let candidates = [Some(before.latest.clone()), before.live.clone()];
    let found = candidates.into_iter().flatten().find_map(|version| Some((version.status.after(deed)?, version)));
    let Some((next, mut version)) = found else {
        let what = match deed {
            Deed::Approve => "only a pending, rejected, paused or disabled one can be approved",
            _ => "only a pending, approved or paused one can be rejected",
        };
        return Err(wrong(before.latest.status, what));
    };
    move_to(conn, (&mut row, &mut version), next, reason, now)?;
    Ok((before, store::whole(conn, row)?))
}

/// Moves a version, keeps it and tells of it.
pub(super) fn move_to(
    conn: &mut Conn,
    (row, version): (&mut Row, &mut Version),
    next: Status,
    reason: Option<String>,
    now: Millis,
) -> Result<()> {
    let before = version.status;
    version.status = next;
    version.reason = reason.filter(|_| next != Status::Approved);
    version.decided_at = if next == Status::Pending { None } else { Some(now) };
    if next == Status::Approved && row.live.is_none_or(|live| live < version.version) {
        row.live = Some(version.version);
    }
    (version.updated_at, row.updated_at) = (now, now);
    store::save(conn, row, version)?;
    tell_status(conn, (row, version), before, now)
}

fn load_locked(conn: &mut Conn, owner: Owner, id: TemplateId) -> Result<Row> {
    let row = store::find_locked(conn, id)?;
    if row.owner() == owner { Ok(row) } else { Err(Error::new(Code::NotFound)) }
}

fn wrong(status: Status, what: &str) -> Error {
    Error::field("status", format!("is {status}; {what}"))
}

fn draft(row: &Row, version: i32, words: &Words, now: Millis) -> Result<Version> {
    Ok(Version {
        template_id: row.id,
        version,
        status: Status::Draft,
        words: serde_json::to_string(words).map_err(Error::internal)?,
        reason: None,
        reviewer: None,
        account: None,
        remote_name: None,
        remote_id: None,
        quality: None,
        told_at: None,
        submit_error: None,
        submitted_at: None,
        decided_at: None,
        created_at: now,
        updated_at: now,
    })
}
