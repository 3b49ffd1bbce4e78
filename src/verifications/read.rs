//! Shows verifications: one, or a list.

use std::collections::BTreeMap;

use super::body::ListFilter;
use super::store::{self, Filter, Owner, Row, SendRow};
use super::view::VerificationView;
use crate::clock::{Clock, Millis};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::VerificationId;
use crate::phone::Country;
use crate::recipient::Recipient;
use crate::terms::Channel;

/// A verification of `owner`. Error: `not_found`.
pub fn show(conn: &mut Conn, owner: Owner, id: VerificationId, clock: &Clock) -> Result<VerificationView> {
    let row = store::find(conn, owner, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let sends = store::sends_of(conn, &[id])?;
    VerificationView::of(row, sends, clock.now())
}

/// A page of verifications of `owner`: `limit` rows behind `before`.
pub fn list(
    conn: &mut Conn,
    owner: Owner,
    filter: Filter,
    before: Option<VerificationId>,
    (now, limit): (Millis, i64),
) -> Result<Vec<VerificationView>> {
    let rows = store::list(conn, owner, filter, before, (now, limit))?;
    let ids: Vec<VerificationId> = rows.iter().map(|row| row.id).collect();
    let mut sends: BTreeMap<VerificationId, Vec<SendRow>> = BTreeMap::new();
    for send in store::sends_of(conn, &ids)? {
        sends.entry(send.verification_id).or_default().push(send);
    }
    let show = |row: Row| {
        let own = sends.remove(&row.id).unwrap_or_default();
        VerificationView::of(row, own, now)
    };
    rows.into_iter().map(show).collect()
}

/// A list's filter, its address as addresses are stored.
pub fn filter_of(wanted: ListFilter) -> Result<Filter> {
    let to = wanted.to.map(|text| recipient_of("to", &text, None)).transpose()?;
    Ok(Filter {
        status: wanted.status,
        to: to.map(|to| String::from(to.address())),
        channel: wanted.channel,
        created_after: wanted.created_after,
        created_before: wanted.created_before,
    })
}

/// An address of either kind, told by its `@`. A plus in a query string often arrives as a blank.
pub fn recipient_of(field: &str, text: &str, country: Option<Country>) -> Result<Recipient> {
    let channel = if text.contains('@') { Channel::Email } else { Channel::Sms };
    let text = text.strip_prefix(' ').map_or_else(|| String::from(text), |rest| format!("+{rest}"));
    Recipient::parse(&text, channel, country).map_err(|why| Error::field(field, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_by_its_at_and_a_blank_stands_for_a_lost_plus() {
        let read = |text: &str| recipient_of("to", text, None).map(|to| String::from(to.address()));
        assert_eq!(read(" 447400123456").unwrap(), "+447400123456");
        assert_eq!(read("+44 7400 123456").unwrap(), "+447400123456");
        assert_eq!(read("Ann@Example.com").unwrap(), "ann@example.com");
        assert!(read("nobody").unwrap_err().fields().contains_key("to"));
    }
}
