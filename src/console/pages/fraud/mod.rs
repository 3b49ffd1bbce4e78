//! Fraud: what was blocked and what that saved, where codes are not typed, which rules act, what is listed and held.

mod decision;
mod forms;

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::console::cells::{Column, plain};
use crate::console::desk::Desk;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved};
use crate::console::markup::Markup;
use crate::console::pages::messages::FALSE_POSITIVE_OF;
use crate::error::Result;
use crate::words::Words;

pub(super) use forms::{ADD_ENTRY, CHANGE_RULE, RELEASE_HOLD, REMOVE_ENTRY, REPLAY_RULE};

const SINCE: &[&str] = &["1h", "24h", "7d", "31d"];

/// Countries and prefixes.
pub(super) static HEAT: Listing = Listing {
    name: "fraud-heat",
    title: "Countries and prefixes",
    api: "/v1/admin/fraud/heat",
    columns: &[
        Column::text("Country", "/country").to("/console/messages?country={/country}&since=24h"),
        Column::code("Prefix", "/prefix"),
        Column::count("Sent", "/sent"),
        Column::count("Refused", "/refused"),
        Column::count("Verified", "/verified"),
        Column::percent("Conversion", "/conversion"),
        Column::percent("Usual", "/usual"),
        Column::count("Cost", "/cost"),
        Column::score("Deviations from usual", "/z_score"),
        Column::count("Known by now", "/ripe").hidden(),
    ],
    filters: &[Filter::choice("since", "Since", SINCE)],
    empty: "No code was sent by SMS in this time.",
    takes_mode: true,
    is_paged: false,
    ..Listing::NEW
};

/// The rules.
pub(super) static RULES: Listing = Listing {
    name: "fraud-rules",
    title: "Rules",
    api: "/v1/admin/fraud/rules",
    columns: &[
        Column::code("Rule", "/id"),
        Column::status("Mode", "/mode"),
        Column::count("Version", "/version"),
        Column::code("Parameters", "/parameters").hidden(),
    ],
    actions: &[&CHANGE_RULE, &REPLAY_RULE],
    is_paged: false,
    ..Listing::NEW
};

/// How they did.
pub(super) static RULE_STATS: Listing = Listing {
    name: "fraud-rule-stats",
    title: "What rules did",
    api: "/v1/admin/fraud/rule-stats",
    columns: &[
        Column::code("Rule", "/rule"),
        Column::count("Acted", "/enforced"),
        Column::count("Only watched", "/watched"),
        Column::count("Of these, known by now", "/ripe"),
        Column::count("Verified all the same", "/verified"),
        Column::percent("Precision", "/precision"),
    ],
    filters: &[Filter::choice("since", "Since", SINCE)],
    empty: "No rule fired in this time.",
    takes_mode: true,
    is_paged: false,
    ..Listing::NEW
};

/// What changed rules would have done.
pub(super) static SIMULATIONS: Listing = Listing {
    name: "fraud-simulations",
    title: "Replays",
    api: "/v1/admin/fraud/simulations",
    columns: &[
        Column::time("When", "/created_at"),
        Column::status("State", "/state"),
        Column::code("Change", "/spec/changes"),
        Column::count("Attempts", "/result/report/attempts"),
        Column::count("Would have blocked besides", "/result/report/added"),
        Column::count("Of which verified", "/result/report/verified_users_lost"),
        Column::count("Would have let pass", "/result/report/removed"),
        Column::count("Saved", "/result/report/money_saved"),
        Column::text("Fault", "/fault").hidden(),
        Column::code("By", "/author").hidden(),
        Column::code("Id", "/id").hidden(),
    ],
    empty: "No replay yet: try a rule's mode on recorded traffic before it acts.",
    ..Listing::NEW
};

/// What is listed by hand.
pub(super) static LISTS: Listing = Listing {
    name: "fraud-lists",
    title: "Allowed and blocked by hand",
    api: "/v1/admin/fraud/lists",
    columns: &[
        Column::status("What", "/action"),
        Column::text("Kind", "/kind"),
        Column::code("Value", "/value"),
        Column::text("Why", "/reason"),
        Column::time("Until", "/expires_at"),
        Column::code("By", "/author"),
        Column::time("Since", "/created_at"),
        Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Mode", "/mode").hidden(),
    ],
    filters: &[Filter::text("org_id", "Tenant")],
    actions: &[&REMOVE_ENTRY],
    empty: "Nothing is listed for everybody; a tenant's own entries are shown by its id.",
    ..Listing::NEW
};

/// What the engine holds.
pub(super) static HOLDS: Listing = Listing {
    name: "fraud-holds",
    title: "Groups that are held",
    api: "/v1/admin/fraud/holds",
    columns: &[
        Column::code("Group", "/group"),
        Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Mode", "/mode"),
        Column::code("Rule", "/reasons/0/rule"),
        Column::text("Seen", "/reasons/0/observed"),
        Column::time("Since", "/begun_at"),
        Column::time("Half open from", "/until"),
        Column::time("Ended", "/ended_at"),
        Column::code("By", "/ended_by"),
        Column::count("Times before", "/repetitions").hidden(),
    ],
    filters: &[Filter::choice("all", "Ended ones too", &["true"]), Filter::text("org_id", "Tenant")],
    views: &[Saved { label: "With those that ended", query: "all=true" }],
    actions: &[&RELEASE_HOLD],
    empty: "Nothing is held.",
    ..Listing::NEW
};

/// Who asks most.
pub(super) static TOPS: Listing = Listing {
    name: "fraud-tops",
    title: "Who asks most",
    api: "/v1/admin/fraud/top",
    columns: &[
        Column::code("Who", "/subject"),
        Column::text("Country", "/country"),
        Column::count("Attempts", "/attempts"),
        Column::count("Refused", "/refused"),
        Column::count("Verified", "/verified"),
        Column::count("Numbers", "/numbers"),
        Column::count("Cost", "/cost"),
        Column::time("Latest", "/last_at"),
    ],
    filters: &[
        Filter::choice("by", "By", &["number", "ip", "device", "prefix"]),
        Filter::choice("since", "Since", SINCE),
    ],
    views: &[
        Saved { label: "Networks", query: "by=ip" },
        Saved { label: "Devices", query: "by=device" },
        Saved { label: "Prefixes", query: "by=prefix" },
    ],
    empty: "Nobody asked for a code in this time.",
    takes_mode: true,
    is_paged: false,
    ..Listing::NEW
};

/// What was decided.
pub(super) static DECISIONS: Listing = Listing {
    name: "fraud-decisions",
    title: "Decisions",
    api: "/v1/admin/decisions",
    columns: &[
        Column::time("When", "/created_at").to("/console/fraud/decisions/{/id}"),
        Column::status("What", "/action"),
        Column::code("Rules", "/rules"),
        Column::code("Only watched", "/watched"),
        Column::text("To", "/to").to("/console/fraud/decisions/{/id}"),
        Column::text("Country", "/country"),
        Column::count("Price", "/price"),
        Column::count("Score", "/score"),
        Column::code("Told the request", "/code"),
        Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
        Column::code("Message", "/message_id").to("/console/messages/{/message_id}").hidden(),
        Column::code("Request", "/request_id").to("/console/requests/{/request_id}").hidden(),
        Column::code("Key", "/key_id").hidden(),
        Column::code("Id", "/id").to("/console/fraud/decisions/{/id}").hidden(),
    ],
    filters: &[
        Filter::choice("action", "What", &["block", "challenge", "allow"]),
        Filter::text("rule", "Rule"),
        Filter::text("country", "Country"),
        Filter::text("code", "Told the request"),
        Filter::text("org_id", "Tenant"),
        Filter::text("since", "Since"),
    ],
    views: &[
        Saved { label: "By a hold", query: "rule=prefix.hold" },
        Saved { label: "Let through", query: "action=allow&since=1h" },
    ],
    actions: &[&FALSE_POSITIVE_OF],
    empty: "Nothing was refused in the last day.",
    takes_mode: true,
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(fraud);
    decision::configure(routes);
}

#[derive(Template)]
#[template(path = "console/fraud/summary.html")]
struct Summary {
    words: Words,
    blocked: String,
    saved: String,
    mistakes: String,
    late: String,
    released: String,
    is_cut: bool,
}

#[get("/fraud")]
async fn fraud(desk: Desk) -> Result<HttpResponse> {
    let path = format!("/v1/admin/fraud/summary?since=24h&mode={}", desk.mode());
    let seen = desk.need(&path).await?;
    let text = |at: &str| seen.get(at).map(plain).unwrap_or_default();
    let summary = Summary {
        words: desk.words,
        blocked: text("blocked"),
        saved: text("estimated_saving"),
        mistakes: text("false_positives"),
        late: text("refused_then_verified"),
        released: text("holds_released_by_hand"),
        is_cut: seen.get("cut_at").is_some_and(|at| !at.is_null()),
    };
    let place = |prefix| Place { prefix, ..Place::default() };
    let mut body = vec![Markup::of(&summary)?];
    body.push(desk.table(&HEAT, place("heat.")).await?);
    body.push(desk.table(&HOLDS, place("holds.")).await?);
    body.push(desk.table(&RULES, place("rules.")).await?);
    body.push(desk.table(&RULE_STATS, place("stats.")).await?);
    body.push(desk.table(&SIMULATIONS, place("replays.")).await?);
    body.push(desk.table(&LISTS, place("lists.")).await?);
    body.extend(desk.form(&ADD_ENTRY, &[], &Value::Null)?);
    body.push(desk.table(&TOPS, place("tops.")).await?);
    body.push(desk.table(&DECISIONS, place("")).await?);
    let lead = desk.words.say("Who pumps codes, what stops them, and whether that is right.").to_owned();
    desk.page(Page { key: "fraud", title: desk.words.say("Fraud"), lead, body })
}
