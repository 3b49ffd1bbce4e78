//! What can be done against fraud.

use crate::accounts::Duty;
use crate::console::form::{Field, Form, Kind, Reason, Verb};

const MODES: &[&str] = &["off", "shadow", "enforce"];

/// Switches a rule.
pub(in crate::console::pages) static CHANGE_RULE: Form = Form {
    name: "change-fraud-rule",
    title: "Switch",
    about: "Acts within a second on every process. Replay it first.",
    method: Verb::Put,
    api: "/v1/admin/fraud/rules/{/id}",
    fields: &[Field::must("mode", "Mode", Kind::Choice(MODES)).now("/mode")],
    done: "The rule is switched.",
    ..Form::NEW
};

/// Tries a rule's mode on what was recorded.
pub(in crate::console::pages) static REPLAY_RULE: Form = Form {
    name: "replay-fraud-rule",
    title: "Replay",
    about: "Runs recorded attempts with the rule in this mode, beside the traffic: what it would have blocked, and how many \
            of these verified.",
    api: "/v1/admin/fraud/rules/{/id}/replay",
    fields: &[
        Field::must("mode", "Mode", Kind::Choice(MODES)).now("/mode"),
        Field::may("since", "Since", Kind::Choice(&["24h", "7d", "31d"])).help("7d where empty."),
        Field::may("world", "Attempts of", Kind::Choice(&["live", "test"])),
    ],
    reason: Reason::None,
    done: "The replay is under way; its result stands among the replays.",
    ..Form::NEW
};

/// Lists something by hand.
pub(in crate::console::pages) static ADD_ENTRY: Form = Form {
    name: "add-list-entry",
    title: "Allow or block",
    about: "Holds for every tenant.",
    api: "/v1/admin/fraud/lists",
    fields: &[
        Field::must("action", "What", Kind::Choice(&["block", "allow"])),
        Field::must("kind", "Kind", Kind::Choice(&["number", "prefix", "ip", "device"])),
        Field::must("value", "Value", Kind::Text)
            .help("A number, a plus and its first digits, an address or network, or a device's name."),
        Field::may("expires_at", "Until (UTC)", Kind::Moment).help("For good where empty."),
    ],
    reason: Reason::Must,
    done: "It is listed.",
    ..Form::NEW
};

/// Takes it off.
pub(in crate::console::pages) static REMOVE_ENTRY: Form = Form {
    name: "remove-list-entry",
    title: "Remove",
    method: Verb::Delete,
    api: "/v1/admin/fraud/lists/{/id}",
    fields: &[
        Field::may("org_id", "Tenant", Kind::Text).now("/org_id"),
        Field::may("mode", "Mode", Kind::Choice(&["live", "test"])).now("/mode"),
    ],
    reason: Reason::Query,
    done: "It is removed.",
    is_danger: true,
    ..Form::NEW
};

/// Lets a group go.
pub(in crate::console::pages) static RELEASE_HOLD: Form = Form {
    name: "release-hold",
    title: "Release",
    about: "Its attempts pass again at once.",
    method: Verb::Delete,
    api: "/v1/admin/fraud/holds/{/id}",
    reason: Reason::Query,
    confirm: "/group",
    done: "The group is released.",
    is_danger: true,
    duty: Duty::Manage,
    ..Form::NEW
};
