//! Tables `wallet_settings` and `billing_profiles`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{billing_profiles, wallet_settings};
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::Micros;
use crate::terms::Mode;

/// A row of `wallet_settings`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = wallet_settings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct SettingsRow {
    /// Whose wallet.
    pub org_id: OrgId,
    /// Live or test money.
    pub mode: Mode,
    /// JSON: micros, the highest first.
    pub thresholds: String,
    /// The threshold that was told of last.
    pub told_micros: Option<Micros>,
    /// Pay in once less than this is free.
    pub auto_below_micros: Option<Micros>,
    /// So much.
    pub auto_amount_micros: Option<Micros>,
    /// Last change.
    pub updated_at: Millis,
}

/// A wallet's settings.
pub fn find_settings(conn: &mut Conn, owner: (OrgId, Mode)) -> Result<Option<SettingsRow>> {
    Ok(wallet_settings::table.find(owner).select(SettingsRow::as_select()).first(conn).optional()?)
}

/// Writes a wallet's settings.
pub fn put_settings(conn: &mut Conn, row: &SettingsRow) -> Result<()> {
    let key = (wallet_settings::org_id, wallet_settings::mode);
    let query = diesel::insert_into(wallet_settings::table).values(row.clone()).on_conflict(key).do_update();
    crate::both!(conn, c => query.set(row.clone()).execute(c))?;
    Ok(())
}

/// Everybody's settings: few rows.
pub fn all_settings(conn: &mut Conn) -> Result<Vec<SettingsRow>> {
    Ok(wallet_settings::table.select(SettingsRow::as_select()).load(conn)?)
}

/// A row of `billing_profiles`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = billing_profiles, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ProfileRow {
    /// Whose.
    pub org_id: OrgId,
    /// The name on its invoices.
    pub name: String,
    /// The lines of its address.
    pub address: String,
    /// Its tax number.
    pub tax_id: Option<String>,
    /// Where its invoices are mailed to.
    pub email: Option<String>,
    /// Last change.
    pub updated_at: Millis,
}

/// Whom an organization's invoices are made out to.
pub fn find_profile(conn: &mut Conn, org: OrgId) -> Result<Option<ProfileRow>> {
    Ok(billing_profiles::table.find(org).select(ProfileRow::as_select()).first(conn).optional()?)
}

/// Writes whom an organization's invoices are made out to.
pub fn put_profile(conn: &mut Conn, row: &ProfileRow) -> Result<()> {
    let query = diesel::insert_into(billing_profiles::table).values(row.clone());
    crate::both!(conn, c => query.on_conflict(billing_profiles::org_id).do_update().set(row.clone()).execute(c))?;
    Ok(())
}
