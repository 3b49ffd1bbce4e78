//! What can be done to channels.

use crate::console::form::{Field, Form, Kind, Reason, Verb};

/// Stops messages.
pub(in crate::console::pages) static PAUSE: Form = Form {
    name: "pause",
    title: "Stop sending",
    about: "Stops live messages within a second: all, or those of an organization, to a country or by a route. What is waiting waits.",
    api: "/v1/admin/pause",
    fields: &[
        Field::must("scope", "Scope", Kind::Choice(&["all", "org", "country", "route"])),
        Field::may("value", "Which", Kind::Text)
            .help("The organization's or route's id, or the country; nothing for all."),
    ],
    confirm: "=stop",
    done: "Stopped.",
    is_danger: true,
    ..Form::NEW
};

/// Lets them go.
pub(in crate::console::pages) static RESUME: Form = Form {
    name: "resume",
    title: "Send again",
    api: "/v1/admin/resume",
    fields: &[
        Field::must("scope", "Scope", Kind::Choice(&["all", "org", "country", "route"])),
        Field::may("value", "Which", Kind::Text),
    ],
    done: "It sends again.",
    ..Form::NEW
};

/// Ends one pause.
pub(in crate::console::pages) static END_PAUSE: Form = Form {
    name: "end-pause",
    title: "Send again",
    api: "/v1/admin/resume",
    fields: &[
        Field::must("scope", "Scope", Kind::Choice(&["all", "org", "country", "route"])).now("/scope"),
        Field::may("value", "Which", Kind::Text).now("/value"),
    ],
    done: "It sends again.",
    ..Form::NEW
};

/// Hands a carrier nothing more.
pub(in crate::console::pages) static DRAIN_CARRIER: Form = Form {
    name: "drain-carrier",
    title: "Drain",
    about: "It is handed nothing more; what is waiting goes by another.",
    api: "/v1/admin/carriers/{/name}/drain",
    reason: Reason::Query,
    confirm: "/name",
    done: "The carrier drains.",
    only: ("/draining", &["false"]),
    is_danger: true,
    ..Form::NEW
};

/// Hands it messages again.
pub(in crate::console::pages) static RESUME_CARRIER: Form = Form {
    name: "resume-carrier",
    title: "Hand it messages again",
    api: "/v1/admin/carriers/{/name}/resume",
    reason: Reason::Query,
    done: "The carrier is handed messages again.",
    only: ("/draining", &["true"]),
    ..Form::NEW
};

/// Tries a carrier.
pub(in crate::console::pages) static TEST_CARRIER: Form = Form {
    name: "test-carrier",
    title: "Send a test message",
    about: "A fixed text without a code, by this carrier alone: no route, limit or stop is asked, and nobody is charged. Five an hour for each operator.",
    api: "/v1/admin/carriers/{name}/test",
    fields: &[
        Field::must("to", "To", Kind::Text).help("A number of your own in E.164, or your mail address."),
        Field::may("channel", "Channel", Kind::Choice(&["sms", "whatsapp", "email"]))
            .help("The carrier's first where empty."),
        Field::may("template_id", "Template", Kind::Text).help(
            "An approved one's id, instead of the text. WhatsApp takes a text only for who wrote in the last 24 hours.",
        ),
    ],
    reason: Reason::Must,
    done: "The test message is on its way: look again in a moment.",
    then: "/console/channels/tests/{/id}",
    ..Form::NEW
};

/// Tries a template.
pub(in crate::console::pages) static TEST_TEMPLATE: Form = Form {
    name: "test-template",
    title: "Send a test message",
    about: "The template with its examples, by the carrier that you name. Nobody is charged. Five an hour for each operator.",
    api: "/v1/admin/carriers/{name}/test",
    fields: &[
        Field::must("name", "Carrier", Kind::Text),
        Field::must("to", "To", Kind::Text).help("A number of your own in E.164, or your mail address."),
        Field::must("channel", "Channel", Kind::Choice(&["sms", "whatsapp", "email"])).now("/channel"),
        Field::must("template_id", "Template", Kind::Text).now("/id"),
    ],
    reason: Reason::Must,
    only: ("/status", &["approved"]),
    done: "The test message is on its way: look again in a moment.",
    then: "/console/channels/tests/{/id}",
    ..Form::NEW
};

/// Takes a route out of use.
pub(in crate::console::pages) static PAUSE_ROUTE: Form = Form {
    name: "pause-route",
    title: "Pause",
    api: "/v1/admin/routes/{/id}/pause",
    reason: Reason::Query,
    done: "The route is out of use.",
    only: ("/paused", &["false"]),
    is_danger: true,
    ..Form::NEW
};

/// Puts it back.
pub(in crate::console::pages) static RESUME_ROUTE: Form = Form {
    name: "resume-route",
    title: "Use again",
    api: "/v1/admin/routes/{/id}/resume",
    reason: Reason::Query,
    done: "The route is in use.",
    only: ("/paused", &["true"]),
    ..Form::NEW
};

/// Puts a list of routes in place.
pub(in crate::console::pages) static PUT_ROUTES: Form = Form {
    name: "put-routes",
    title: "Change the routes",
    about: "This list takes the place of all routes. Within a channel and country the lowest priority goes first; weights share among equals.",
    method: Verb::Put,
    api: "/v1/admin/routes",
    fields: &[Field::must("routes", "Routes", Kind::Json).now("/routes")],
    reason: Reason::Query,
    is_bare: true,
    done: "The routes are in place.",
    ..Form::NEW
};

/// Registers a sender.
pub(in crate::console::pages) static NEW_SENDER: Form = Form {
    name: "new-sender",
    title: "Register a sender",
    api: "/v1/admin/senders",
    fields: &[
        Field::must("channel", "Channel", Kind::Choice(&["sms", "whatsapp", "email"])),
        Field::must("address", "Sender", Kind::Text)
            .help("A number, a name of up to 11 characters, or a mail address."),
        Field::may("org_id", "Organization", Kind::Text).help("For all where empty."),
        Field::may("country", "Country", Kind::Text),
        Field::may("carrier", "Carrier", Kind::Text),
    ],
    done: "The sender is registered.",
    ..Form::NEW
};

/// Removes a sender.
pub(in crate::console::pages) static REMOVE_SENDER: Form = Form {
    name: "remove-sender",
    title: "Remove",
    method: Verb::Delete,
    api: "/v1/admin/senders/{/id}",
    reason: Reason::Query,
    done: "The sender is removed.",
    is_danger: true,
    ..Form::NEW
};

/// Registers a WhatsApp number.
pub(in crate::console::pages) static NEW_WHATSAPP_NUMBER: Form = Form {
    name: "new-whatsapp-number",
    title: "Register a WhatsApp number",
    api: "/v1/admin/whatsapp/numbers",
    fields: &[
        Field::must("org_id", "Organization", Kind::Text),
        Field::must("phone_number", "Number", Kind::Text).help("E.164, for example +447400123456."),
        Field::must("portfolio", "Portfolio", Kind::Text).help("Numbers of one portfolio share their tier."),
        Field::may("tier", "Tier", Kind::Number),
        Field::may("waba_id", "Meta's account", Kind::Text),
        Field::may("phone_number_id", "Meta's id of the number", Kind::Text),
    ],
    done: "The number is registered.",
    ..Form::NEW
};

/// Changes a WhatsApp number.
pub(in crate::console::pages) static CHANGE_WHATSAPP_NUMBER: Form = Form {
    name: "change-whatsapp-number",
    title: "Change",
    method: Verb::Patch,
    api: "/v1/admin/whatsapp/numbers/{/id}",
    fields: &[
        Field::may("status", "Status", Kind::Choice(&["connected", "paused", "disconnected", "blocked"]))
            .now("/status"),
        Field::may("quality", "Quality", Kind::Choice(&["green", "yellow", "red"])).now("/quality"),
        Field::may("tier", "Tier", Kind::Number).now("/tier"),
        Field::may("throughput", "Messages a second", Kind::Number).now("/throughput"),
    ],
    done: "The number is changed.",
    ..Form::NEW
};

/// Approves a template.
pub(in crate::console::pages) static APPROVE_TEMPLATE: Form = Form {
    name: "approve-template",
    title: "Approve",
    api: "/v1/admin/templates/{/id}/approve",
    done: "The template is approved.",
    only: ("/status", &["pending", "paused", "rejected"]),
    ..Form::NEW
};

/// Turns a template down.
pub(in crate::console::pages) static REJECT_TEMPLATE: Form = Form {
    name: "reject-template",
    title: "Reject",
    api: "/v1/admin/templates/{/id}/reject",
    reason: Reason::Must,
    done: "The template is rejected.",
    only: ("/status", &["pending", "approved", "paused"]),
    is_danger: true,
    ..Form::NEW
};
