//! The price list.

use std::collections::{HashMap, HashSet};

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::audit::Change;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::PageParams;
use crate::http::{Listing, Page, Query, Rows, csv, wants};
use crate::ids::{PriceId, RouteId};
use crate::money::{Currency, Micros, MoneyView};
use crate::phone::Country;
use crate::routing::{self, Route};
use crate::terms::{Channel, Kind};
use crate::wallet::{self, ChargedAt, PastPrice, Price, Rate, margin_of};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_price_history).service(list_margins).service(list_prices).service(replace_prices);
}

/// A line of the price list. An absent member matches everything; the most particular line in force counts: the
/// longest prefix, then country, then category, then the highest segment, then the latest start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channel": "sms", "country": "US", "amount": "0.0075", "currency": "USD"}))]
pub struct PriceLine {
    /// Of this channel.
    channel: Channel,
    /// To this country (ISO 3166-1 alpha-2).
    #[schema(value_type = Option<String>, example = "US")]
    country: Option<Country>,
    /// To numbers that start so, in E.164 with the plus.
    #[schema(example = "+1415", pattern = r"^\+[0-9]{1,15}$")]
    prefix: Option<String>,
    /// For messages of this kind.
    category: Option<Kind>,
    /// For this segment of an SMS and those after it, 2 to 255; for all of them where absent.
    #[serde(default, deserialize_with = "segment", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 255)]
    segment: Option<u16>,
    /// Each segment of an SMS, or each message: a decimal text with at most six places.
    #[schema(example = "0.0075", pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    amount: String,
    /// ISO 4217; USD where absent.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// In force from here on (RFC 3339); at once where absent, or since when it was if the line is on the list already.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Millis>,
    /// Whether a message is charged when a carrier takes it (`hand_off`, where absent) or only when it is known to be
    /// delivered (`delivery`).
    charged_at: Option<ChargedAt>,
}

/// The price list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Prices {
    /// Its lines.
    data: Vec<PriceLine>,
}

/// What a new price list changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceChange {
    /// Whether this was only a rehearsal.
    dry_run: bool,
    /// Lines of the new list that the old one lacks.
    added: Vec<PriceLine>,
    /// Lines of the old list that the new one lacks.
    removed: Vec<PriceLine>,
    /// Lines of both.
    kept: usize,
    /// What each line of the new list leaves over what each route costs that takes the same messages.
    margins: Vec<MarginView>,
}

/// What a price leaves over what a route costs, a part.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarginView {
    /// The price.
    price: PriceLine,
    /// The route.
    route_id: RouteId,
    /// Its carrier.
    #[schema(example = "acme")]
    carrier: String,
    /// What the carrier charges; absent where no operator has said.
    cost: Option<MoneyView>,
    /// Price less cost; absent where the cost is unknown or in another currency.
    margin: Option<MoneyView>,
    /// In percent of the price, rounded down.
    percent: Option<i64>,
}

/// The margins of the price list as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Margins {
    /// One entry for each price and each route that takes the same messages.
    data: Vec<MarginView>,
}

/// A line of the price list with its time on it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastLine {
    /// Its id.
    id: PriceId,
    /// The line.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    line: PriceLine,
    /// When it was put on the list.
    #[schema(value_type = String, format = DateTime)]
    added_at: Millis,
    /// When it was taken off; absent while it is on the list.
    #[schema(value_type = Option<String>, format = DateTime)]
    removed_at: Option<Millis>,
}

/// How to take a price list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Manner {
    /// Tell what would change, change nothing.
    dry_run: Option<bool>,
    /// Why, for the audit log.
    #[param(max_length = 500)]
    reason: Option<String>,
}

/// List the prices; with `Accept: text/csv` as a sheet that can be changed and put back.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/prices",
    responses(
        (status = 200, description = "The price list", content(
            (Prices = "application/json"),
            (String = "text/csv", example = "channel,country,prefix,category,segment,amount,currency,from,charged_at\nsms,US,,,,0.0075,USD,2026-12-01T00:00:00.000Z,hand_off\n"),
        )),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/prices")]
pub(super) async fn list_prices(desk: Desk<Look>, app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    if wants(&req, "text/csv") {
        let list = app.db.read(wallet::load_prices).await?;
        return csv("prices", &COLUMNS, list.iter().map(|price| cells(line(price))));
    }
    desk.show(|conn| Ok(Prices { data: wallet::load_prices(conn)?.iter().map(line).collect() })).await
}

/// List every line that ever was on the price list, newest first.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/prices/history",
    params(PageParams),
    responses((status = 200, description = "A page of lines", body = Page<PastLine>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/prices/history")]
pub(super) async fn list_price_history(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    let past = |past: PastPrice| PastLine {
        id: past.id,
        line: line(&past.price),
        added_at: past.added_at,
        removed_at: past.removed_at,
    };
    desk.list(
        listing.page,
        move |conn, before, limit| Ok(wallet::price_history(conn, before, limit)?.into_iter().map(past).collect()),
        |past| past.id.to_string(),
    )
    .await
}

/// Show what each price leaves over what each route costs.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/prices/margins",
    responses((status = 200, description = "The margins", body = Margins), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/prices/margins")]
pub(super) async fn list_margins(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(|conn| Ok(Margins { data: margins(&wallet::load_prices(conn)?, &routing::load(conn)?) })).await
}

/// Put a price list in place of the whole one, as JSON or as CSV whose first row names the members. Messages that are
/// already accepted keep their price; lines that the new list leaves out stay in the history.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/prices",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change"), Manner),
    request_body(content(
        (Vec<PriceLine> = "application/json"),
        (String = "text/csv", example = "channel,country,prefix,category,segment,amount,currency,from,charged_at\nsms,US,,,,0.0075,USD,,\n"),
    )),
    responses((status = 200, description = "What changed", body = PriceChange), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/prices")]
pub(super) async fn replace_prices(
    desk: Desk<Manage>,
    manner: Query<Manner>,
    Rows(body): Rows<PriceLine>,
) -> Result<HttpResponse> {
    let Manner { dry_run, reason } = manner.0;
    let rehearsal = dry_run == Some(true);
    let order = desk.order(&body, reason)?;
    let lines = body.value;
    let faults = lines.iter().enumerate().flat_map(|(index, line)| line.faults(index));
    let error = faults.fold(Error::new(Code::ValidationFailed), |error, (field, why)| error.and_field(field, why));
    if error.has_fields() {
        return Err(error);
    }
    order
        .run(move |conn, by| {
            let known = wallet::load_prices(conn)?;
            let starts = known.iter().rev().map(|price| (price.timeless(), price.valid_from)).collect();
            let list: Vec<Price> = lines.iter().filter_map(|line| line.price(&starts, by.now)).collect();
            unambiguous(&list)?;
            let (added, removed) = (lacking(&list, &known), lacking(&known, &list));
            let margins = margins(&list, &routing::load(conn)?);
            let change = PriceChange { dry_run: rehearsal, kept: list.len() - added.len(), added, removed, margins };
            if !rehearsal {
                wallet::replace_prices(conn, &list, by.now)?;
                let (before, after): (Vec<_>, Vec<_>) =
                    (known.iter().map(line).collect(), list.iter().map(line).collect());
                by.tell(conn, "prices.replace", "prices", Change::changed(&before, &after))?;
            }
            done(&change)
        })
        .await
}

impl PriceLine {
    fn faults(&self, index: usize) -> Vec<(String, &'static str)> {
        let digits = |prefix: &str| (1..=15).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix_ok = self.prefix.as_deref().is_none_or(|prefix| prefix.strip_prefix('+').is_some_and(digits));
        let amount_ok = Micros::parse(&self.amount).is_some_and(|amount| (0..=MOST).contains(&amount.0));
        let segment_ok =
            self.segment.is_none_or(|nth| nth == 1 || (self.channel == Channel::Sms && (1..=255).contains(&nth)));
        let currency_ok = self.currency.as_deref().is_none_or(|text| text.parse::<Currency>().is_ok());
        [
            (prefix_ok, "prefix", "must be a plus and 1 to 15 digits, e.g. +4474"),
            (segment_ok, "segment", "must be a number from 1 to 255, and 1 or absent where the channel is not sms"),
            (amount_ok, "amount", "must be a decimal text of at most six places, from 0 to 1000, e.g. 0.0075"),
            (currency_ok, "currency", "must be three capital letters of ISO 4217, e.g. USD"),
        ]
        .into_iter()
        .filter(|(ok, ..)| !ok)
        .map(|(_, field, why)| (format!("[{index}].{field}"), why))
        .collect()
    }

    /// The line as it is kept; without a start of its own it has that of the same line of the list that is, whose lines
    /// are in `starts`.
    fn price(&self, starts: &HashMap<Price, Millis>, now: Millis) -> Option<Price> {
        let price = self.price_from(self.from.unwrap_or(now))?;
        let known = starts.get(&price.timeless()).filter(|_| self.from.is_none());
        Some(Price { valid_from: known.copied().unwrap_or(price.valid_from), ..price })
    }

    fn price_from(&self, valid_from: Millis) -> Option<Price> {
        Some(Price {
            channel: self.channel,
            country: self.country,
            prefix: self.prefix.clone(),
            category: self.category,
            segment: self.segment.unwrap_or(1),
            amount: Micros::parse(&self.amount)?,
            currency: self.currency.as_deref().map_or(Some(Currency::USD), |text| text.parse().ok())?,
            valid_from,
            charged_at: self.charged_at.unwrap_or(ChargedAt::HandOff),
        })
    }
}

/// The lines of `here` that `there` lacks.
fn lacking(here: &[Price], there: &[Price]) -> Vec<PriceLine> {
    let there: HashSet<&Price> = there.iter().collect();
    here.iter().filter(|price| !there.contains(price)).map(line).collect()
}

/// Two lines that price the same messages from the same moment on would leave it to chance which counts. Error:
/// `validation_failed`, naming both.
fn unambiguous(list: &[Price]) -> Result<()> {
    let mut sorted: Vec<(usize, &Price)> = list.iter().enumerate().collect();
    sorted.sort_by_key(|&(index, price)| (price.place(), index));
    let twice = sorted.windows(2).filter_map(|pair| match pair {
        [(first, one), (second, other)] if one.place() == other.place() => Some((first, second)),
        _ => None,
    });
    let error = twice.fold(Error::new(Code::ValidationFailed), |error, (first, second)| {
        error.and_field(
            format!("[{second}]"),
            format!("is for the same messages from the same moment on as [{first}]; leave one out, or change its from"),
        )
    });
    if error.has_fields() { Err(error) } else { Ok(()) }
}

/// A number, or a text that is one: a cell of a sheet.
fn segment<'de, D: serde::Deserializer<'de>>(source: D) -> std::result::Result<Option<u16>, D::Error> {
    struct Nth;
    impl serde::de::Visitor<'_> for Nth {
        type Value = Option<u16>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number from 1 to 255")
        }

        fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Option<u16>, E> {
            u16::try_from(value).map(Some).map_err(|_| E::custom("must be a number from 1 to 255"))
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Option<u16>, E> {
            text.parse().map(Some).map_err(|_| E::custom("must be a number from 1 to 255"))
        }

        fn visit_unit<E: serde::de::Error>(self) -> std::result::Result<Option<u16>, E> {
            Ok(None)
        }
    }
    source.deserialize_any(Nth)
}

/// No message costs more than a thousand of anything; a slip of the point is caught here.
const MOST: i64 = 1_000_000_000;

fn line(price: &Price) -> PriceLine {
    PriceLine {
        channel: price.channel,
        country: price.country,
        prefix: price.prefix.clone(),
        category: price.category,
        segment: Some(price.segment).filter(|segment| *segment > 1),
        amount: price.amount.to_string(),
        currency: Some(price.currency.to_string()),
        from: Some(price.valid_from),
        charged_at: Some(price.charged_at),
    }
}

const COLUMNS: [&str; 9] =
    ["channel", "country", "prefix", "category", "segment", "amount", "currency", "from", "charged_at"];

fn cells(line: PriceLine) -> Vec<String> {
    fn shown<T: ToString>(value: Option<T>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    vec![
        line.channel.to_string(),
        shown(line.country),
        shown(line.prefix),
        shown(line.category),
        shown(line.segment),
        line.amount,
        shown(line.currency),
        shown(line.from.map(Millis::rfc3339)),
        shown(line.charged_at),
    ]
}

fn margins(list: &[Price], routes: &[Route]) -> Vec<MarginView> {
    let of = |price: &Price, route: &Route| {
        let (country, prefix) = (route.country, route.prefix.as_deref());
        let rate = Rate { channel: route.channel, country, prefix, cost: route.price };
        let margin = margin_of(price, &rate)?;
        Some(MarginView {
            price: line(price),
            route_id: route.id,
            carrier: route.carrier.clone(),
            cost: route.price.map(|(amount, currency)| MoneyView::new(amount, currency)),
            margin: margin.amount.map(|amount| MoneyView::new(amount, price.currency)),
            percent: margin.percent,
        })
    };
    let pairs = list.iter().flat_map(|price| routes.iter().map(move |route| (price, route)));
    pairs.filter_map(|(price, route)| of(price, route)).take(MOST_MARGINS).collect()
}

/// Most margins that one answer shows.
const MOST_MARGINS: usize = 5_000;
