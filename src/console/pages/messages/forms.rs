//! What can be done to one message.

use crate::accounts::Duty;
use crate::console::cells::Column;
use crate::console::form::{Field, Form, Kind, Reason};

/// Calls it back.
pub(in crate::console::pages) static CANCEL_MESSAGE: Form = Form {
    name: "cancel-message",
    title: "Cancel",
    about: "It is not sent, and its price is let go.",
    api: "/v1/admin/messages/{id}/cancel",
    only: ("/status", &["scheduled", "queued"]),
    is_danger: true,
    done: "The message is canceled.",
    duty: Duty::Support,
    ..Form::NEW
};

/// Settles what is unknown.
pub(in crate::console::pages) static SETTLE_MESSAGE: Form = Form {
    name: "settle-message",
    title: "Settle what is unknown",
    about: "Sent charges its price, failed lets it go. It is never sent again.",
    api: "/v1/admin/messages/{id}/settle",
    fields: &[Field::must("outcome", "What became of it", Kind::Choice(&["sent", "failed"]))],
    only: ("/status", &["unknown"]),
    done: "The message is settled.",
    ..Form::NEW
};

/// Says the same once more.
pub(in crate::console::pages) static RESEND_MESSAGE: Form = Form {
    name: "resend-message",
    title: "Send again",
    about: "As a new message of the same tenant and key, guarded and charged like every other. Codes are not kept, and so \
            never sent again.",
    api: "/v1/admin/messages/{id}/resend",
    only: ("/body_state", &["kept"]),
    then: "/console/messages/{/id}",
    done: "A new message says the same: this one.",
    ..Form::NEW
};

/// Keeps its number out.
pub(in crate::console::pages) static BLOCK_NUMBER: Form = Form {
    name: "block-number",
    title: "Block the number",
    about: "No message of this tenant goes to it until then.",
    api: "/v1/admin/messages/{id}/block",
    fields: &[
        Field::may("expires_at", "Until (UTC)", Kind::Moment).help("For good where empty."),
        Field::may("everywhere", "For every tenant", Kind::Flag),
    ],
    reason: Reason::Must,
    is_danger: true,
    done: "The number is blocked.",
    duty: Duty::Support,
    ..Form::NEW
};

/// Shows its number and text.
pub(in crate::console::pages) static REVEAL_MESSAGE: Form = Form {
    name: "reveal-message",
    title: "Reveal number and text",
    about: "The audit log keeps that you looked, and why. Name no number in the reason.",
    api: "/v1/admin/messages/{id}/reveal",
    reason: Reason::Must,
    shows: &[
        Column::code("Message", "/id").to("/console/messages/{/id}"),
        Column::code("Number", "/to"),
        Column::text("Text", "/body"),
        Column::text("Subject", "/subject"),
        Column::status("The text is", "/body_state"),
    ],
    done: "Shown once; the audit log knows.",
    ..Form::NEW
};

/// Reports a refusal of a list.
pub(in crate::console::pages) static FALSE_POSITIVE_OF: Form =
    Form { name: "false-positive-of", api: "/v1/admin/decisions/{/id}/false-positive", ..FALSE_POSITIVE };

/// Reports its decision.
pub(in crate::console::pages) static FALSE_POSITIVE: Form = Form {
    name: "false-positive",
    title: "Report a false positive",
    about: "Kept with the rules that fired, for who tunes them.",
    api: "/v1/admin/decisions/{id}/false-positive",
    reason: Reason::Must,
    done: "It is noted.",
    duty: Duty::Support,
    ..Form::NEW
};
