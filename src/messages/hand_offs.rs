//! Which hand-off a receipt is about.

use super::store::{self, Attempt, Row};
use crate::db::Conn;
use crate::error::Result;
use crate::ids::AttemptId;
use crate::providers::{OtherForms, Receipt, Trust};
use crate::terms::Channel;

/// The hand-off that `receipt` is about, by the carrier's id or else by our reference; `None` where it is not known (yet),
/// or where several could be meant.
pub fn of_receipt(conn: &mut Conn, carrier: &str, receipt: &Receipt) -> Result<Option<Attempt>> {
    if let Some(forms) = &receipt.forms {
        return in_any_form(conn, carrier, &receipt.provider_id, forms);
    }
    match store::find_attempt(conn, carrier, &receipt.provider_id)? {
        Some(attempt) => Ok(Some(attempt)),
        None => by_reference(conn, carrier, receipt),
    }
}

fn by_reference(conn: &mut Conn, carrier: &str, receipt: &Receipt) -> Result<Option<Attempt>> {
    match receipt.reference.as_deref().and_then(|text| text.parse::<AttemptId>().ok()) {
        Some(id) => store::find_attempt_by_id(conn, carrier, id),
        None => Ok(None),
    }
}

/// An id whose form is not known may be that of another message in another form: digits that are hex there are decimal
/// here. So the number that the receipt is about decides, and where it decides for more than one hand-off, none is taken.
fn in_any_form(conn: &mut Conn, carrier: &str, id: &str, forms: &OtherForms) -> Result<Option<Attempt>> {
    let all: Vec<&str> = std::iter::once(id).chain(forms.ids.iter().map(String::as_str)).collect();
    let mut meant: Vec<Attempt> = Vec::new();
    // Newest first: of those with one id, a carrier that has begun to count anew means the latest.
    for attempt in store::find_attempts(conn, carrier, &all)? {
        let is_sure = forms.trust != Trust::None && attempt.provider_id.as_deref() == Some(id);
        let is_older = meant.iter().any(|known| known.provider_id == attempt.provider_id);
        if !is_older && (is_sure || is_about(conn, &attempt, forms)?) {
            meant.push(attempt);
        }
    }
    if meant.len() > 1 {
        tracing::warn!(
            carrier,
            "a receipt could be about several messages and was put aside; set the carrier's id_form"
        );
        return Ok(None);
    }
    // What this process remembers and nobody has written down yet will be: the receipt waits for that.
    let is_other = |known: &Attempt| forms.trust == Trust::Remembered && known.provider_id.as_deref() != Some(id);
    Ok(meant.pop().filter(|known| !is_other(known)))
}

fn is_about(conn: &mut Conn, attempt: &Attempt, forms: &OtherForms) -> Result<bool> {
    let Some(row) = store::find_message(conn, attempt.message_id)? else { return Ok(false) };
    Ok(addresses(&row, attempt.channel).iter().any(|address| forms.is_about(address)))
}

/// Where a message may have gone by `channel`: a fallback has an address of its own.
fn addresses(row: &Row, channel: Channel) -> Vec<String> {
    let first = (row.channel, row.recipient.clone());
    let all = std::iter::once(first).chain(row.extra_or_none().fallback);
    all.filter(|(by, _)| *by == channel).map(|(_, address)| address).collect()
}
