//! All SQL of organizations' own templates.

use diesel::prelude::*;

use super::status::Status;
use super::words::Words;
use crate::clock::Millis;
use crate::db::schema::{template_versions, templates};
use crate::db::{Conn, count_change, version_of};
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, TemplateId};
use crate::providers::TemplateCategory;
use crate::terms::{Channel, Mode};
use crate::webhooks::Owner;

/// The name of the templates in `versions`.
const NAME: &str = "templates";

/// One row of `templates`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = templates, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Row {
    /// Its id; sorts by time.
    pub id: TemplateId,
    /// Whose.
    pub org_id: OrgId,
    /// For live or for test messages.
    pub mode: Mode,
    /// By what messages name it.
    pub name: String,
    /// On this channel.
    pub channel: Channel,
    /// In this language.
    pub locale: String,
    /// What for.
    pub category: TemplateCategory,
    /// The version that is worked on, or was last; from 1.
    pub latest: i32,
    /// The version that sends, once one was approved; whether it still may, its status says.
    pub live: Option<i32>,
    /// Made.
    pub created_at: Millis,
    /// Last change, of any version.
    pub updated_at: Millis,
}

/// One row of `template_versions`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = template_versions, primary_key(template_id, version), treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Version {
    /// Of this template.
    pub template_id: TemplateId,
    /// Which, from 1.
    pub version: i32,
    /// Where it is.
    pub status: Status,
    /// JSON of [`Words`].
    pub words: String,
    /// Why it was turned down or stopped.
    pub reason: Option<String>,
    /// The carrier that reviews it; none: an operator.
    pub reviewer: Option<String>,
    /// That carrier's account.
    pub account: Option<String>,
    /// Its name there.
    pub remote_name: Option<String>,
    /// Its id there.
    pub remote_id: Option<String>,
    /// How well it is received, as the carrier sees it.
    pub quality: Option<String>,
    /// When the carrier last told its state, by the carrier's clock.
    pub told_at: Option<Millis>,
    /// Why the last try to submit it failed.
    pub submit_error: Option<String>,
    /// Handed in.
    pub submitted_at: Option<Millis>,
    /// Approved, turned down or stopped.
    pub decided_at: Option<Millis>,
    /// Begun.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// A template with its latest version and, where that is another one, the version that sends.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The template.
    pub row: Row,
    /// Its latest version.
    pub latest: Version,
    /// The version that sends, where it is not the latest.
    pub live: Option<Version>,
}

impl Row {
    /// Whose, and for which messages.
    pub fn owner(&self) -> Owner {
        (self.org_id, self.mode)
    }
}

impl Version {
    /// What it says.
    pub fn words(&self) -> Result<Words> {
        serde_json::from_str(&self.words).map_err(Error::internal)
    }
}

/// Which templates to list. What is `None` narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whose.
    pub org: Option<OrgId>,
    /// For live or test messages.
    pub mode: Option<Mode>,
    /// Of this name.
    pub name: Option<String>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// Whose latest version is in this status.
    pub status: Option<Status>,
}

/// How often the templates have been changed.
pub fn version(conn: &mut Conn) -> Result<i64> {
    version_of(conn, NAME)
}

/// Every template with the version that sends, where one does or did.
pub fn all_live(conn: &mut Conn) -> Result<Vec<(Row, Option<Version>)>> {
    let joined =
        template_versions::template_id.eq(templates::id).and(template_versions::version.nullable().eq(templates::live));
    let rows = templates::table
        .left_join(template_versions::table.on(joined))
        .order(templates::id.asc())
        .select((Row::as_select(), Option::<Version>::as_select()))
        .load(conn)?;
    Ok(rows)
}

/// Adds a template with its first version; `false` where there is one of that name, channel and locale.
pub fn insert(conn: &mut Conn, row: &Row, first: &Version) -> Result<bool> {
    let added =
        crate::both!(conn, c => diesel::insert_into(templates::table).values(row).on_conflict_do_nothing().execute(c))?;
    if added == 0 {
        return Ok(false);
    }
    insert_version(conn, first)?;
    count_change(conn, NAME)?;
    Ok(true)
}

/// Adds a further version.
pub fn insert_version(conn: &mut Conn, version: &Version) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(template_versions::table).values(version).execute(c))?;
    Ok(())
}

/// Keeps what changed of a template and of one of its versions.
pub fn save(conn: &mut Conn, row: &Row, version: &Version) -> Result<()> {
    let key = (version.template_id, version.version);
    crate::both!(conn, c => diesel::update(template_versions::table.find(key)).set(version).execute(c))?;
    crate::both!(conn, c => diesel::update(templates::table.find(row.id)).set(row).execute(c))?;
    count_change(conn, NAME)
}

/// Removes a template with all its versions.
pub fn delete(conn: &mut Conn, id: TemplateId) -> Result<()> {
    diesel::delete(template_versions::table.filter(template_versions::template_id.eq(id))).execute(conn)?;
    diesel::delete(templates::table.find(id)).execute(conn)?;
    count_change(conn, NAME)
}

/// How many templates `owner` has.
pub fn count(conn: &mut Conn, owner: Owner) -> Result<i64> {
    Ok(templates::table
        .filter(templates::org_id.eq(owner.0))
        .filter(templates::mode.eq(owner.1))
        .count()
        .get_result(conn)?)
}

/// One template, whoever's. Error: `not_found`.
pub fn find(conn: &mut Conn, id: TemplateId) -> Result<Row> {
    let found: Option<Row> = templates::table.find(id).select(Row::as_select()).first(conn).optional()?;
    found.ok_or_else(|| Error::new(Code::NotFound))
}

/// The same, held until the transaction ends.
pub fn find_locked(conn: &mut Conn, id: TemplateId) -> Result<Row> {
    if let Conn::Pg(c) = conn {
        templates::table.find(id).select(templates::id).for_update().execute(c)?;
    }
    find(conn, id)
}

/// One version. Error: `not_found`.
pub fn load_version(conn: &mut Conn, id: TemplateId, version: i32) -> Result<Version> {
    let found: Option<Version> =
        template_versions::table.find((id, version)).select(Version::as_select()).first(conn).optional()?;
    found.ok_or_else(|| Error::new(Code::NotFound))
}

/// A template with what is shown of it.
pub fn whole(conn: &mut Conn, row: Row) -> Result<Whole> {
    let latest = load_version(conn, row.id, row.latest)?;
    let other = row.live.filter(|live| *live != row.latest);
    let live = other.map(|live| load_version(conn, row.id, live)).transpose()?;
    Ok(Whole { row, latest, live })
}

/// Templates, newest first, from before `before` on.
pub fn list(conn: &mut Conn, filter: &Filter, before: Option<TemplateId>, limit: i64) -> Result<Vec<Whole>> {
    let joined = template_versions::template_id.eq(templates::id).and(template_versions::version.eq(templates::latest));
    let mut query = templates::table
        .inner_join(template_versions::table.on(joined))
        .order(templates::id.desc())
        .limit(limit)
        .select((Row::as_select(), Version::as_select()))
        .into_boxed();
    if let Some(org) = filter.org {
        query = query.filter(templates::org_id.eq(org));
    }
    if let Some(mode) = filter.mode {
        query = query.filter(templates::mode.eq(mode));
    }
    if let Some(name) = &filter.name {
        query = query.filter(templates::name.eq(name.clone()));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(templates::channel.eq(channel));
    }
    if let Some(status) = filter.status {
        query = query.filter(template_versions::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(templates::id.lt(before));
    }
    let rows: Vec<(Row, Version)> = query.load(conn)?;
    rows.into_iter()
        .map(|(row, latest)| {
            let other = row.live.filter(|live| *live != row.latest);
            let live = other.map(|live| load_version(conn, row.id, live)).transpose()?;
            Ok(Whole { row, latest, live })
        })
        .collect()
}

/// Versions that a carrier's account knows under this name, or under this id.
pub fn of_remote(conn: &mut Conn, account: &str, name: &str) -> Result<Vec<Version>> {
    Ok(template_versions::table
        .filter(template_versions::account.eq(account))
        .filter(template_versions::remote_name.eq(name))
        .order((template_versions::template_id.asc(), template_versions::version.asc()))
        .select(Version::as_select())
        .load(conn)?)
}
