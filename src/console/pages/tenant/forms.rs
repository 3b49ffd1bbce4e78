//! What can be done to a tenant.

use crate::accounts::Duty;
use crate::console::cells::Column;
use crate::console::form::{Field, Form, Kind, Reason, Verb};
use crate::console::pages::tenants::{KYB, PLAN_NAMES, PROTECTION};

const SCOPES: &[&str] = &[
    "*",
    "messages:send",
    "messages:read",
    "verifications:write",
    "verifications:read",
    "templates:write",
    "templates:read",
    "webhooks:write",
    "webhooks:read",
    "wallet:read",
    "wallet:topup",
    "whatsapp:write",
    "whatsapp:read",
    "activations:write",
    "activations:read",
    "fraud:write",
    "fraud:read",
];

const POLICIES: &[&str] = &[
    "key.burst.short",
    "key.burst.medium",
    "key.burst.long",
    "key.minute",
    "org.minute",
    "key.window",
    "key.daily",
    "band.send",
    "band.read",
    "band.manage",
    "band.billing",
    "sms.plan",
    "otp.number",
    "otp.number.hour",
    "otp.number.day",
    "otp.ip",
    "otp.device",
    "check.number",
    "check.number.day",
];

/// Changes what an organization is.
pub(in crate::console::pages) static CHANGE_ORG: Form = Form {
    name: "change-organization",
    title: "Change this organization",
    method: Verb::Patch,
    api: "/v1/admin/orgs/{id}",
    fields: &[
        Field::must("name", "Name", Kind::Text).now("/name"),
        Field::must("country", "Country", Kind::Text).now("/country"),
        Field::may("countries", "May send to", Kind::Lines)
            .now("/countries")
            .help("A country a line, or * for every one."),
        Field::must("kyb_status", "Business", Kind::Choice(KYB)).now("/kyb_status"),
        Field::must("subscription_status", "Subscription", Kind::Choice(&["active", "past_due", "canceled"]))
            .now("/subscription_status"),
        Field::must("protection", "Protection", Kind::Choice(PROTECTION)).now("/protection"),
    ],
    done: "The organization is changed.",
    ..Form::NEW
};

/// Moves it to another plan.
pub(in crate::console::pages) static CHANGE_PLAN: Form = Form {
    name: "change-plan",
    title: "Change the plan",
    method: Verb::Patch,
    api: "/v1/admin/orgs/{id}",
    fields: &[
        Field::must("plan", "Plan", Kind::Choice(PLAN_NAMES)).now("/plan"),
        Field::must("plan_when", "When", Kind::Choice(&["now", "next_cycle"])),
    ],
    done: "The plan is changed.",
    ..Form::NEW
};

/// Stops all its keys.
pub(in crate::console::pages) static SUSPEND: Form = Form {
    name: "suspend-organization",
    title: "Suspend",
    about: "All its keys are refused within a second, until it is set active again.",
    method: Verb::Patch,
    api: "/v1/admin/orgs/{id}",
    fields: &[Field::must("status", "Status", Kind::Choice(&["suspended"]))],
    confirm: "/name",
    done: "The organization is suspended.",
    only: ("/status", &["active"]),
    is_danger: true,
    ..Form::NEW
};

/// Lets them work again.
pub(in crate::console::pages) static UNSUSPEND: Form = Form {
    name: "unsuspend-organization",
    title: "Set active again",
    method: Verb::Patch,
    api: "/v1/admin/orgs/{id}",
    fields: &[Field::must("status", "Status", Kind::Choice(&["active"]))],
    done: "The organization is active.",
    only: ("/status", &["suspended"]),
    ..Form::NEW
};

/// Makes a key.
pub(in crate::console::pages) static NEW_KEY: Form = Form {
    name: "new-key",
    title: "Make a key",
    api: "/v1/admin/orgs/{id}/keys",
    fields: &[
        Field::must("name", "Name", Kind::Text),
        Field::must("mode", "Mode", Kind::Choice(&["test", "live"])),
        Field::may("kind", "Kind", Kind::Choice(&["api", "activation"])),
        Field::may("scopes", "Scopes", Kind::Choices(SCOPES)),
        Field::may("expires_at", "Expires", Kind::Moment).help("UTC; never where empty."),
    ],
    shows: &[
        Column::code("Key, shown once", "/secret"),
        Column::text("Name", "/name"),
        Column::status("Mode", "/mode"),
    ],
    done: "The key is made. It is shown this once: keep it now.",
    ..Form::NEW
};

/// Replaces a key.
pub(in crate::console::pages) static ROTATE_KEY: Form = Form {
    name: "rotate-key",
    title: "Rotate",
    api: "/v1/admin/keys/{/id}/rotate",
    fields: &[Field::may("overlap", "Both work for", Kind::Text).help("For example 24h, which is what empty means.")],
    shows: &[Column::code("Key, shown once", "/secret"), Column::text("Name", "/name")],
    done: "The new key is made. It is shown this once: keep it now.",
    ..Form::NEW
};

/// Ends a key.
pub(in crate::console::pages) static REVOKE_KEY: Form = Form {
    name: "revoke-key",
    title: "Revoke",
    about: "The key is refused everywhere within a second. This cannot be taken back.",
    method: Verb::Delete,
    api: "/v1/admin/keys/{/id}",
    reason: Reason::Query,
    confirm: "/prefix",
    done: "The key is revoked.",
    is_danger: true,
    ..Form::NEW
};

/// Sets an exception.
pub(in crate::console::pages) static SET_LIMIT: Form = Form {
    name: "set-limit",
    title: "Set an exception",
    method: Verb::Put,
    api: "/v1/admin/orgs/{id}/limits/{policy}",
    fields: &[
        Field::must("policy", "Policy", Kind::Choice(POLICIES)),
        Field::must("limit", "Limit", Kind::Text).help("For example 1000/min, or unlimited."),
        Field::may("expires_at", "Until", Kind::Moment).help("UTC; for good where empty."),
    ],
    done: "The exception holds within a second.",
    ..Form::NEW
};

/// Takes an exception away.
pub(in crate::console::pages) static REMOVE_LIMIT: Form = Form {
    name: "remove-limit",
    title: "Remove",
    method: Verb::Delete,
    api: "/v1/admin/orgs/{id}/limits/{/policy}",
    reason: Reason::Query,
    done: "The plan holds again.",
    is_danger: true,
    ..Form::NEW
};

/// Puts a list of caps in place.
pub(in crate::console::pages) static SET_CAPS: Form = Form {
    name: "set-caps",
    title: "Set the caps",
    about: "This list takes the place of all caps.",
    method: Verb::Put,
    api: "/v1/admin/orgs/{id}/caps",
    fields: &[Field::must("caps", "Caps", Kind::Json)
        .help("For example [{\"scope\": \"org\", \"window\": \"1d\", \"amount\": \"500\"}]; scopes are org, key, country and prefix.")],
    reason: Reason::Query,
    is_bare: true,
    done: "The caps hold.",
    ..Form::NEW
};

/// Books a payment.
pub(in crate::console::pages) static TOP_UP: Form = Form {
    name: "top-up",
    title: "Book a payment",
    api: "/v1/admin/orgs/{id}/wallet/topups",
    fields: &[
        Field::must("reference", "Reference", Kind::Text).help("The bank's; the same reference is booked once."),
        Field::must("amount", "Amount", Kind::Text),
        Field::may("currency", "Currency", Kind::Text),
    ],
    duty: Duty::Govern,
    done: "The payment is booked.",
    ..Form::NEW
};

/// Adds to or takes from the wallet.
pub(in crate::console::pages) static ADJUST: Form = Form {
    name: "adjust-wallet",
    title: "Adjust or refund",
    api: "/v1/admin/orgs/{id}/wallet/adjustments",
    fields: &[
        Field::must("amount", "Amount", Kind::Text).help("Less than nothing takes away."),
        Field::must("currency", "Currency", Kind::Text),
        Field::may("mode", "Mode", Kind::Choice(&["live", "test"])),
    ],
    reason: Reason::Must,
    duty: Duty::Govern,
    done: "The wallet is adjusted.",
    ..Form::NEW
};

/// Writes a month's invoice.
pub(in crate::console::pages) static WRITE_INVOICE: Form = Form {
    name: "write-invoice",
    title: "Write an invoice",
    api: "/v1/admin/orgs/{id}/invoices",
    fields: &[Field::must("month", "Month", Kind::Text).help("For example 2026-10; the month must be over.")],
    duty: Duty::Govern,
    done: "The invoice is written.",
    ..Form::NEW
};
