//! Activations: the numbers that receive codes, and the services they are rented for.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::console::cells::Column;
use crate::console::desk::Desk;
use crate::console::form::{Field, Form, Kind, Reason, Verb};
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place};
use crate::error::Result;

/// The numbers.
pub(super) static NUMBERS: Listing = Listing {
    name: "numbers",
    title: "Numbers",
    api: "/v1/admin/numbers",
    columns: &[
        Column::text("Number", "/phone_number"),
        Column::status("Status", "/status"),
        Column::text("Country", "/country"),
        Column::text("Network", "/operator"),
        Column::text("Services", "/services"),
        Column::status("Mode", "/mode"),
        Column::time("Added", "/created_at"),
    ],
    filters: &[Filter::text("country", "Country"), Filter::choice("status", "Status", &["active", "blocked"])],
    actions: &[&CHANGE_NUMBER],
    empty: "No number to rent yet. Add some below; activations are switched on in the configuration:",
    command: "[activations] enabled = true",
    ..Listing::NEW
};

/// The services.
pub(super) static SERVICES: Listing = Listing {
    name: "services",
    title: "Services",
    api: "/v1/admin/services",
    columns: &[
        Column::code("Code", "/code"),
        Column::text("Name", "/name"),
        Column::flag("Offered", "/active"),
        Column::text("Price", "/price"),
        Column::text("Senders", "/senders"),
        Column::text("Rest between two renters", "/cool_down"),
    ],
    empty: "No service yet.",
    is_paged: false,
    ..Listing::NEW
};

/// Adds numbers.
pub(super) static ADD_NUMBERS: Form = Form {
    name: "add-numbers",
    title: "Add numbers",
    api: "/v1/admin/numbers",
    fields: &[Field::must("numbers", "Numbers", Kind::Json)
        .help("For example [{\"phone_number\": \"+447400123456\", \"operator\": \"any\", \"services\": [\"ot\"]}].")],
    reason: Reason::Query,
    is_bare: true,
    done: "The numbers are added.",
    ..Form::NEW
};

/// Changes a number.
pub(super) static CHANGE_NUMBER: Form = Form {
    name: "change-number",
    title: "Change",
    method: Verb::Patch,
    api: "/v1/admin/numbers/{/id}",
    fields: &[
        Field::may("status", "Status", Kind::Choice(&["active", "blocked"])).now("/status"),
        Field::may("services", "Services", Kind::Lines).now("/services").help("A service's code a line."),
    ],
    done: "The number is changed.",
    ..Form::NEW
};

/// Makes or replaces a service.
pub(super) static PUT_SERVICE: Form = Form {
    name: "put-service",
    title: "Make or replace a service",
    method: Verb::Put,
    api: "/v1/admin/services/{code}",
    fields: &[
        Field::must("code", "Code", Kind::Text).help("1 to 32 lower case letters, digits or underscores."),
        Field::must("name", "Name", Kind::Text),
        Field::may("price", "Price", Kind::Text),
        Field::may("senders", "Senders", Kind::Lines).help("A name or number a line: whose messages are for it."),
        Field::may("texts", "Patterns of texts", Kind::Lines)
            .help("A regular expression a line; its first group is the code."),
    ],
    done: "The service is in place.",
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(activations);
}

#[get("/activations")]
async fn activations(desk: Desk) -> Result<HttpResponse> {
    let place = |prefix| Place { prefix, ..Place::default() };
    let mut body = vec![desk.table(&NUMBERS, place("")).await?];
    body.extend(desk.form(&ADD_NUMBERS, &[], &Value::Null)?);
    body.push(desk.table(&SERVICES, place("services.")).await?);
    body.extend(desk.form(&PUT_SERVICE, &[], &Value::Null)?);
    let lead = desk.words.say("Numbers that can be rented, and what for.").to_owned();
    desk.page(Page { key: "activations", title: desk.words.say("Activations"), lead, body })
}
