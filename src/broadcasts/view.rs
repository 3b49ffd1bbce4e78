//! Broadcasts as the API shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::contacts::ContactFault;
use super::state::Status;
use super::store::{Contact, Fate, Row};
use crate::clock::Millis;
use crate::http::harmless;
use crate::ids::{BatchId, BroadcastId, MessageId};
use crate::terms::{Channel, Kind, Mode};

/// A broadcast.
#[derive(Serialize, ToSchema)]
pub struct BroadcastView {
    /// Its id.
    pub id: BroadcastId,
    /// Your word for it.
    pub name: String,
    /// Where it is.
    pub status: Status,
    /// Why it paused or stopped by itself: an error code.
    #[schema(example = "wallet.insufficient_balance")]
    pub reason: Option<String>,
    /// Live or test.
    pub mode: Mode,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// Its template, where it has one; texts themselves are not shown.
    pub template: Option<String>,
    /// Who it comes from, where it says so.
    pub from: Option<String>,
    /// The batch of its messages, for `GET /v1/messages?batch_id=`.
    pub batch_id: BatchId,
    /// Its contacts.
    #[schema(example = 50_000)]
    pub contacts: i32,
    /// Rows that were dropped because their contact was there already.
    pub duplicates: i32,
    /// Contacts that had opted out when they were added; they are asked again when their turn comes.
    pub opted_out: i32,
    /// Contacts that wait for their turn.
    pub waiting: i32,
    /// Contacts whose message was accepted.
    pub accepted: i32,
    /// Contacts that were refused for good.
    pub refused: i32,
    /// When the next contacts go, where a limit holds them; null where nothing is to go.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Millis>,
    /// Begins then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_for: Option<Millis>,
    /// Began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Millis>,
    /// Came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Millis>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

impl BroadcastView {
    /// Shows a row.
    pub fn of(row: &Row) -> BroadcastView {
        BroadcastView {
            id: row.id,
            name: row.name.clone(),
            status: row.status,
            reason: row.reason.clone(),
            mode: row.mode,
            channel: row.channel,
            kind: row.kind,
            template: row.template.clone(),
            from: row.sender.clone(),
            batch_id: row.batch_id,
            contacts: row.contacts,
            duplicates: row.duplicates,
            opted_out: row.opted_out,
            waiting: row.waiting(),
            accepted: row.accepted,
            refused: row.refused,
            next_at: row.next_at,
            scheduled_for: row.scheduled_for,
            started_at: row.started_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// How far a broadcast is.
#[derive(Serialize, ToSchema)]
pub struct BroadcastProgress {
    /// Where it is.
    pub status: Status,
    /// Its contacts.
    pub contacts: i32,
    /// Those that wait for their turn.
    pub waiting: i32,
    /// Those whose message was accepted.
    pub accepted: i32,
    /// Those that were refused for good.
    pub refused: i32,
    /// The accepted messages by status, e.g. `sent`, `delivered`; a status without messages is absent.
    pub messages: BTreeMap<String, i64>,
    /// Refused contacts and failed messages by error code.
    pub errors: BTreeMap<String, i64>,
    /// When the next contacts go, where a limit holds them.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Millis>,
}

/// What became of contacts that were added.
#[derive(Serialize, ToSchema)]
pub struct ContactsAdded {
    /// Contacts that are new.
    pub added: usize,
    /// Rows dropped because their contact was there already.
    pub duplicates: usize,
    /// New contacts that have opted out of messages of this kind.
    pub opted_out: usize,
    /// Rows left out because of a fault, with `?invalid=skip`.
    pub invalid: usize,
    /// The first hundred faults.
    pub errors: Vec<ContactFault>,
    /// Contacts in all.
    pub contacts: i32,
}

crate::text_enum! {
    /// Where a contact is.
    pub enum ContactStatus as "BroadcastContactStatus" {
        /// Waits for its turn.
        Waiting = "waiting",
        /// Its message was accepted.
        Accepted = "accepted",
        /// It gets no message.
        Refused = "refused",
    }
}

/// A contact of a broadcast.
#[derive(Serialize, ToSchema)]
pub struct BroadcastContact {
    /// Its row, in the order they were added, from 1.
    pub row: i32,
    /// The number in E.164, or the mail address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// Where it is.
    pub status: ContactStatus,
    /// Its message.
    pub message_id: Option<MessageId>,
    /// Where its message is, as long as that is kept.
    #[schema(example = "delivered")]
    pub message_status: Option<String>,
    /// Why it was refused, or why its message failed.
    pub error_code: Option<String>,
}

impl BroadcastContact {
    /// Shows a contact with what became of its message.
    pub fn of(contact: &Contact, fate: Option<&Fate>) -> BroadcastContact {
        let status = match (contact.message_id, contact.due_at) {
            (Some(_), _) => ContactStatus::Accepted,
            (None, Some(_)) => ContactStatus::Waiting,
            (None, None) => ContactStatus::Refused,
        };
        BroadcastContact {
            row: contact.row_no,
            to: contact.recipient.clone(),
            status,
            message_id: contact.message_id,
            message_status: fate.map(|fate| fate.1.clone()),
            error_code: contact.error_code.clone().or_else(|| fate.and_then(|fate| fate.2.clone())),
        }
    }
}

/// The first line of a sheet of results.
pub const RESULTS_HEADING: &str = "row,to,status,message_id,message_status,error_code\r\n";

/// Contacts as lines of a sheet (RFC 4180) that no spreadsheet takes for formulas.
pub fn csv_lines(contacts: &[BroadcastContact]) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for contact in contacts {
        let message_id = contact.message_id.map(|id| id.to_string()).unwrap_or_default();
        let cells = [
            contact.row.to_string(),
            harmless(&contact.to, is_number(&contact.to)),
            contact.status.to_string(),
            message_id,
            contact.message_status.clone().unwrap_or_default(),
            contact.error_code.clone().unwrap_or_default(),
        ];
        // Into memory; cannot fail.
        let _ = writer.write_record(cells);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A number in E.164 is only a number.
fn is_number(cell: &str) -> bool {
    cell.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_of_results_holds_no_formula() {
        let contact = |to: &str| BroadcastContact {
            row: 1,
            to: to.into(),
            status: ContactStatus::Refused,
            message_id: None,
            message_status: None,
            error_code: Some("validation_failed".into()),
        };
        let lines = csv_lines(&[contact("+447400120001"), contact("=cmd|'/c calc'!a0@x.example"), contact("-1@x.y")]);
        let to: Vec<&str> = lines.lines().map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(to, ["+447400120001", "'=cmd|'/c calc'!a0@x.example", "'-1@x.y"]);
    }
}
