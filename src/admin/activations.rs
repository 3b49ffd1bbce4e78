//! What can be rented to receive codes: services, and numbers of the operator's own.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, put};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::activations::{
    self, ActivationNumberView, NewService, NewSupply, NumberStatus, ServiceView, SupplyChange, USUAL_COOL_DOWN,
    forget_catalog,
};
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::app::App;
use crate::clock::Span;
use crate::error::{Error, Result};
use crate::http::page::PageParams;
use crate::http::{Body, Id, Listing, Page, Query, Rows, path_part};
use crate::ids::ActivationNumberId;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(list_services)
        .service(put_service)
        .service(add_numbers)
        .service(list_numbers)
        .service(show_number)
        .service(change_number);
}

/// A service that codes are received for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActivationServiceBody, example = json!({"name": "ACME", "senders": ["ACME"], "texts": ["acme.*?(\\d{6})"], "price": "0.50", "cool_down": "10m"}))]
pub struct ServiceBody {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Any other")]
    name: String,
    /// Who its messages come from: numbers or names, with a star at the end for all that begin so. Anybody where absent.
    #[serde(default)]
    senders: Vec<String>,
    /// Regular expressions of its texts, without regard to case; the first group, if there is one, is the code. Any text
    /// where absent.
    #[serde(default)]
    texts: Vec<String>,
    /// What a code costs, a decimal text; nothing where absent.
    #[schema(example = "0.50")]
    price: Option<String>,
    /// ISO 4217; USD where absent.
    #[schema(example = "USD")]
    currency: Option<String>,
    /// Where it costs something else: decimal texts by country (ISO 3166-1 alpha-2).
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    country_prices: BTreeMap<Country, String>,
    /// How long a number rests between two renters; 10m where absent.
    cool_down: Option<Span>,
    /// Whether it can be ordered; true where absent.
    active: Option<bool>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl ServiceBody {
    fn parsed(self) -> Result<NewService> {
        let amount = |field: &str, text: &str| {
            let why = "must be a decimal text of at most six places, e.g. 0.50";
            Micros::parse(text).ok_or_else(|| Error::field(field, why))
        };
        let price = self.price.as_deref().map_or(Ok(Micros::ZERO), |text| amount("price", text))?;
        let currency = self.currency.as_deref().map_or(Ok(Currency::USD), str::parse);
        let of = self.country_prices.iter().map(|(country, text)| Ok((*country, amount("country_prices", text)?)));
        Ok(NewService {
            country_prices: of.collect::<Result<_>>()?,
            name: self.name,
            senders: self.senders,
            texts: self.texts,
            price,
            currency: currency.map_err(|why| Error::field("currency", why.to_string()))?,
            cool_down: self.cool_down.map_or(USUAL_COOL_DOWN, |span| span.0),
            active: self.active.unwrap_or(true),
        })
    }
}

/// Services.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivationServices {
    /// By code.
    data: Vec<ServiceView>,
}

/// List the services that codes are received for.
#[utoipa::path(
    operation_id = "list_activation_services",
    tag = "Admin: activations",
    path = "/v1/admin/services",
    responses((status = 200, description = "The services", body = ActivationServices), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/services")]
pub(super) async fn list_services(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(|conn| {
        Ok(ActivationServices { data: activations::services(conn)?.iter().map(|row| row.view()).collect() })
    })
    .await
}

/// Make a service, or replace the one of its code: 1 to 32 lower-case letters, digits and dashes. What is absent from the
/// body takes its default.
#[utoipa::path(
    operation_id = "put_activation_service",
    tag = "Admin: activations",
    path = "/v1/admin/services/{code}",
    params(
        ("code" = String, Path, description = "The word that clients order by", example = "ot"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = ServiceBody,
    responses((status = 200, description = "The service", body = ServiceView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/services/{code}")]
pub(super) async fn put_service(
    desk: Desk<Manage>,
    req: HttpRequest,
    app: Data<App>,
    body: Body<ServiceBody>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let code: String = path_part(&req, "code")?;
    let new = body.value.parsed()?;
    let answer = order.run(move |conn, by| done(&activations::put_service(conn, by, &code, &new)?)).await;
    forget_catalog(&app);
    answer
}

/// Services by their codes: a list, or one text with blanks between, as a sheet has it.
#[derive(Debug, Clone)]
struct Codes(BTreeSet<String>);

impl<'de> Deserialize<'de> for Codes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Codes, D::Error> {
        struct Words;
        impl<'de> serde::de::Visitor<'de> for Words {
            type Value = Codes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of services, or their codes with blanks between")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Codes, E> {
                Ok(Codes(text.split([' ', '|']).filter(|code| !code.is_empty()).map(String::from).collect()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Codes, A::Error> {
                let mut codes = BTreeSet::new();
                while let Some(code) = list.next_element::<String>()? {
                    codes.insert(code);
                }
                Ok(Codes(codes))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// A number to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone_number": "+447400123456", "operator": "any", "services": ["ot"]}))]
pub struct NewActivationNumber {
    /// The number in E.164.
    #[schema(example = "+447400123456")]
    phone_number: String,
    /// Its country (ISO 3166-1 alpha-2): for a number that no numbering plan knows, such as one set aside for tests.
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// Its network; `any` where absent.
    #[schema(example = "any")]
    operator: Option<String>,
    /// For which services; for all, those of later as well, where absent. In a sheet their codes with blanks between.
    #[schema(value_type = Option<Vec<String>>)]
    services: Option<Codes>,
    /// Its own rest between two renters; the service's where absent.
    cool_down: Option<Span>,
    /// `live` (default), or `test`: rented by test keys, and reached by made-up messages only.
    mode: Option<Mode>,
}

/// Numbers that were added.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedNumbers {
    /// How many.
    added: usize,
    /// Themselves.
    data: Vec<ActivationNumberView>,
}

/// Most numbers of one request: one transaction.
const MOST_NUMBERS: usize = 1_000;

/// Add numbers that can be rented, all or none: a list, or a sheet (`text/csv`) whose first line names the members.
#[utoipa::path(
    operation_id = "add_activation_numbers",
    tag = "Admin: activations",
    path = "/v1/admin/numbers",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"), Why),
    request_body(content(
        (Vec<NewActivationNumber> = "application/json"),
        (String = "text/csv", example = "phone_number,operator,services\n+447400123456,any,ot\n"),
    )),
    responses((status = 201, description = "Added", body = AddedNumbers), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/numbers")]
pub(super) async fn add_numbers(
    desk: Desk<Manage>,
    app: Data<App>,
    why: Query<Why>,
    rows: Rows<NewActivationNumber>,
) -> Result<HttpResponse> {
    let Rows(body) = rows;
    let order = desk.order(&body, why.0.reason)?;
    if body.value.len() > MOST_NUMBERS {
        return Err(Error::field(
            "body",
            format!("must have at most {MOST_NUMBERS} numbers; add the others by another request"),
        ));
    }
    let supply = |new: NewActivationNumber| NewSupply {
        phone_number: new.phone_number,
        country: new.country,
        operator: new.operator,
        services: new.services.map(|codes| codes.0),
        cool_down: new.cool_down.map(|span| span.0),
        mode: new.mode.unwrap_or(Mode::Live),
    };
    let list: Vec<NewSupply> = body.value.into_iter().map(supply).collect();
    let answer = order.run(move |conn, by| {
        let data = activations::add_numbers(conn, by, &list)?;
        made(String::from("/v1/admin/numbers"), &AddedNumbers { added: data.len(), data })
    });
    let answer = answer.await;
    forget_catalog(&app);
    answer
}

/// Which numbers to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberFilter {
    /// Of this country (ISO 3166-1 alpha-2).
    #[param(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// In this state.
    status: Option<NumberStatus>,
}

/// List the numbers that can be rented, newest first.
#[utoipa::path(
    operation_id = "list_activation_numbers",
    tag = "Admin: activations",
    path = "/v1/admin/numbers",
    params(NumberFilter, PageParams),
    responses((status = 200, description = "A page of numbers", body = Page<ActivationNumberView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/numbers")]
pub(super) async fn list_numbers(desk: Desk<Look>, listing: Listing<NumberFilter>) -> Result<HttpResponse> {
    let wanted = (listing.filter.country, listing.filter.status);
    let read = move |conn: &mut _, before: Option<ActivationNumberId>, limit| {
        let rows = activations::list_numbers(conn, wanted, before, limit)?;
        activations::views(conn, &rows)
    };
    desk.list(listing.page, read, |view: &ActivationNumberView| view.id.to_string()).await
}

/// Show a number that can be rented.
#[utoipa::path(
    operation_id = "show_activation_number",
    tag = "Admin: activations",
    path = "/v1/admin/numbers/{id}",
    params(("id" = ActivationNumberId, Path, description = "The number")),
    responses((status = 200, description = "The number", body = ActivationNumberView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/numbers/{id}")]
pub(super) async fn show_number(desk: Desk<Look>, id: Id<ActivationNumberId>) -> Result<HttpResponse> {
    desk.show(move |conn| activations::show_number(conn, id.0)).await
}

/// What shall be of a number; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "blocked", "reason": "the network took it back"}))]
pub struct ActivationNumberPatch {
    /// `blocked`: it is rented to nobody any more; who rents it now keeps it to the end.
    status: Option<NumberStatus>,
    /// Its network.
    #[schema(example = "any")]
    operator: Option<String>,
    /// Exactly these services.
    #[schema(value_type = Option<Vec<String>>)]
    services: Option<Codes>,
    /// Its own rest between two renters.
    cool_down: Option<Span>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Change a number: block it, offer it for other services.
#[utoipa::path(
    operation_id = "change_activation_number",
    tag = "Admin: activations",
    path = "/v1/admin/numbers/{id}",
    params(
        ("id" = ActivationNumberId, Path, description = "The number"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = ActivationNumberPatch,
    responses((status = 200, description = "The number", body = ActivationNumberView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[patch("/numbers/{id}")]
pub(super) async fn change_number(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<ActivationNumberId>,
    body: Body<ActivationNumberPatch>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let ActivationNumberPatch { status, operator, services, cool_down, .. } = body.value;
    let change = SupplyChange {
        status,
        operator,
        services: services.map(|codes| codes.0),
        cool_down: cool_down.map(|span| Some(span.0)),
    };
    let answer = order.run(move |conn, by| done(&activations::change_number(conn, by, id.0, &change)?)).await;
    forget_catalog(&app);
    answer
}
