//! An entry of a list as requests write it and answers show it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lists::{ListAction, ListEntry, ListKind, ListOwner};
use super::store;
use crate::audit::{By, Change, names_somebody};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{ListId, OrgId};
use crate::phone::{Phone, mask};
use crate::terms::Mode;

/// Most entries of one owner: all of them are held in memory.
const MOST: i64 = 20_000;
/// Longest name of a device, characters; as in requests.
const LONGEST_DEVICE: usize = 200;
/// Longest reason, characters.
const LONGEST_REASON: usize = 500;

/// An entry to add.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"action": "block", "kind": "prefix", "value": "+37120", "reason": "pumped on Sunday"}))]
pub struct NewListEntry {
    /// Let through or keep out.
    pub action: ListAction,
    /// What it is about.
    pub kind: ListKind,
    /// A number in E.164; a plus and 1 to 14 digits; an address or network (`203.0.113.0/24`); a device's name.
    #[schema(example = "+37120", min_length = 1, max_length = 200)]
    pub value: String,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Until when (RFC 3339, in the future); for good where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ListEntryView {
    /// Its id.
    pub id: ListId,
    /// For this organization; for everybody where absent.
    pub org_id: Option<OrgId>,
    /// For its live or its test messages.
    pub mode: Option<Mode>,
    /// Let through or keep out.
    pub action: ListAction,
    /// What it is about.
    pub kind: ListKind,
    /// The number, prefix, network or device.
    #[schema(example = "+37120")]
    pub value: String,
    /// Why.
    pub reason: String,
    /// Who added it: the id of an operator or a key.
    pub author: String,
    /// Until when; for good where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

impl From<ListEntry> for ListEntryView {
    fn from(entry: ListEntry) -> ListEntryView {
        ListEntryView {
            id: entry.id,
            org_id: entry.owner.map(|(org, _)| org),
            mode: entry.owner.map(|(_, mode)| mode),
            action: entry.action,
            kind: entry.kind,
            value: entry.value,
            reason: entry.reason,
            author: entry.author,
            expires_at: entry.expires_at,
            created_at: entry.created_at,
        }
    }
}

/// Adds an entry of `owner` (none: the platform's). Errors: `validation_failed` with every fault.
pub fn add_entry(conn: &mut Conn, by: &By, owner: ListOwner, new: NewListEntry) -> Result<ListEntryView> {
    let value = new.checked(by.now)?;
    if store::count_entries(conn, owner)? >= MOST {
        return Err(Error::field(
            "value",
            format!("is one too many: a list holds at most {MOST} entries; use prefixes"),
        ));
    }
    let entry = ListEntry {
        id: ListId::new(by.now),
        owner,
        action: new.action,
        kind: new.kind,
        value,
        reason: String::from(new.reason.trim()),
        author: by.actor.to_string(),
        expires_at: new.expires_at,
        created_at: by.now,
    };
    store::insert_entry(conn, &entry)?;
    let view = ListEntryView::from(entry);
    by.tell(conn, "list.add", view.id, Change::made(&told(&view)))?;
    Ok(view)
}

/// Removes an entry of `owner`. Error: `not_found`.
pub fn remove_entry(conn: &mut Conn, by: &By, owner: ListOwner, id: ListId) -> Result<()> {
    let before = ListEntryView::from(store::load_entry(conn, owner, id)?);
    store::delete_entry(conn, id)?;
    by.tell(conn, "list.remove", id, Change::removed(&told(&before)))
}

/// As the audit log may hold it: no full number, and none in the reason, which an organization words as it likes.
fn told(view: &ListEntryView) -> ListEntryView {
    let value = match view.kind {
        ListKind::Number => mask(&view.value),
        _ => view.value.clone(),
    };
    let reason = match names_somebody(&view.reason) {
        true => String::from("(names somebody: left out)"),
        false => view.reason.clone(),
    };
    ListEntryView { value, reason, ..view.clone() }
}

impl NewListEntry {
    /// The value in its normal form.
    fn checked(&self, now: Millis) -> Result<String> {
        let mut error = Error::new(Code::ValidationFailed);
        let value = normal(self.kind, self.value.trim());
        if let Err(why) = &value {
            error = error.and_field("value", why.clone());
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > LONGEST_REASON {
            error = error.and_field("reason", format!("must say why, in at most {LONGEST_REASON} characters"));
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            error = error.and_field("expires_at", "must be in the future");
        }
        if error.has_fields() {
            return Err(error);
        }
        value.map_err(Error::internal)
    }
}

fn normal(kind: ListKind, value: &str) -> std::result::Result<String, String> {
    match kind {
        ListKind::Number => {
            Phone::parse(value, None).map(|phone| String::from(phone.e164())).map_err(|fault| fault.to_string())
        }
        ListKind::Prefix => {
            let digits = value.strip_prefix('+').unwrap_or_default();
            let fits = (1..=14).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
            if fits {
                Ok(String::from(value))
            } else {
                Err(String::from("must be a plus and 1 to 14 digits, e.g. +37120"))
            }
        }
        ListKind::Ip => {
            let net = value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from));
            net.map(|net| net.trunc().to_string())
                .map_err(|_| String::from("must be an IP address or network, e.g. 203.0.113.0/24"))
        }
        ListKind::Device => match value.chars().count() {
            1..=LONGEST_DEVICE => Ok(String::from(value)),
            _ => Err(format!("must be a device's name of 1 to {LONGEST_DEVICE} characters")),
        },
    }
}
