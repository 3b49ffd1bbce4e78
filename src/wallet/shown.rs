//! Spend caps as the API shows them.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::caps::{Cap, CapKey, CapScope, CapWindow, EACH_COUNTRY};
use super::store::{caps_of, load_spent};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::MoneyView;
use crate::terms::Mode;

/// A cap as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CapView {
    /// What is counted together.
    scope: CapScope,
    /// Which key, country or prefix.
    value: Option<String>,
    /// The window.
    window: CapWindow,
    /// What may be spent.
    limit: MoneyView,
    /// What live messages have spent in the window that ends now; of a cap on each country nothing is told.
    spent: Option<MoneyView>,
}

/// An organization's caps and what is spent under them.
pub fn cap_views(conn: &mut Conn, org: OrgId, now: Millis) -> Result<Vec<CapView>> {
    let caps = caps_of(conn, org)?;
    let key_of = |cap: &Cap| {
        (cap.value != EACH_COUNTRY).then(|| CapKey {
            org_id: org,
            mode: Mode::Live,
            scope: cap.scope,
            value: cap.value.clone(),
            window: cap.window,
        })
    };
    let keys: BTreeSet<CapKey> = caps.iter().filter_map(key_of).collect();
    let spent = load_spent(conn, &keys, false, now)?;
    let view = |cap: &Cap| CapView {
        scope: cap.scope,
        value: Some(cap.value.clone()).filter(|value| !value.is_empty()),
        window: cap.window,
        limit: MoneyView::new(cap.amount, cap.currency),
        spent: key_of(cap).and_then(|key| spent.get(&key)).map(|spent| MoneyView::new(spent.log.spent(), cap.currency)),
    };
    Ok(caps.iter().map(view).collect())
}
