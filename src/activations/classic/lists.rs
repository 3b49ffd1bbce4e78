//! What there is to rent, and the balance, as the protocol lists them.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::Data;
use serde::Serialize;

use super::answer::{Answer, cents, number};
use super::ask::Ask;
use crate::accounts::Caller;
use crate::activations::catalog::Catalog;
use crate::activations::countries;
use crate::app::App;
use crate::error::Result;
use crate::phone::Country;
use crate::wallet;

/// `getBalance`: what a new hold could take.
pub(super) async fn balance(app: &Data<App>, caller: &Caller) -> Result<Answer, Answer> {
    let (org, mode) = (caller.org_id(), caller.mode());
    let wallet = app.db.read(move |conn| wallet::read(conn, org, mode)).await.map_err(Answer::from)?;
    Ok(Answer::text(format!("ACCESS_BALANCE:{}", cents(wallet.available()))))
}

async fn read(app: &Data<App>, caller: &Caller) -> Result<Catalog, Answer> {
    let (mode, now) = (caller.mode(), app.clock.now());
    app.db.read(move |conn| Catalog::read(conn, mode, now)).await.map_err(Answer::from)
}

/// `getNumbersStatus`: free numbers by service, as `ot_0`: the figure says that nothing is forwarded.
pub(super) async fn numbers_status(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let country = ask.country()?.and_then(|row| row.country());
    let operators = ask.words("operator");
    let catalog = read(app, caller).await?;
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for line in &catalog.stock {
        let fits_operator = operators.is_empty() || operators.iter().any(|one| one == "any" || *one == line.operator);
        if fits_operator && country.is_none_or(|country| country == line.country) {
            *counts.entry(format!("{}_0", line.service)).or_default() += line.free;
        }
    }
    let shown: BTreeMap<String, String> = counts.into_iter().map(|(code, free)| (code, free.to_string())).collect();
    Ok(Answer::json(&shown))
}

/// What a service costs in a country.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    cost: f64,
    count: i64,
    physical_count: i64,
}

/// `getPrices`: country, then service.
pub(super) async fn prices(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let (country, service) = (ask.country()?.and_then(|row| row.country()), ask.get("service"));
    let catalog = read(app, caller).await?;
    if service.is_some_and(|code| catalog.service(code).is_none()) {
        return Err(Answer::word("BAD_SERVICE", 400));
    }
    let mut shown: BTreeMap<String, BTreeMap<&str, Cost>> = BTreeMap::new();
    for ((code, place), free) in catalog.counts() {
        let wanted = country.is_none_or(|one| one == place) && service.is_none_or(|one| one == code);
        let (Some(row), Some(service)) = (countries::of(place).filter(|_| wanted), catalog.service(code)) else {
            continue;
        };
        let cost = Cost { cost: number(service.price_in(place)), count: free, physical_count: free };
        shown.entry(row.id.to_string()).or_default().insert(code, cost);
    }
    Ok(Answer::json(&shown))
}

/// A country of the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    id: u16,
    rus: &'static str,
    eng: &'static str,
    chn: &'static str,
    visible: u8,
    retry: u8,
    rent: u8,
    multi_service: u8,
}

/// `getCountries`: those with numbers.
pub(super) async fn countries(app: &Data<App>, caller: &Caller) -> Result<Answer, Answer> {
    let catalog = read(app, caller).await?;
    let places: BTreeSet<Country> = catalog.stock.iter().map(|line| line.country).collect();
    let place = |country: Country| {
        let row = countries::of(country)?;
        let (rus, eng, chn) = (row.rus, row.eng, row.chn);
        Some((row.id.to_string(), Place { id: row.id, rus, eng, chn, visible: 1, retry: 1, rent: 0, multi_service: 0 }))
    };
    Ok(Answer::json(&places.into_iter().filter_map(place).collect::<BTreeMap<_, _>>()))
}

/// `getServicesList`: those with numbers, in a country where one is named.
pub(super) async fn services(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    #[derive(Serialize)]
    struct Service<'a> {
        code: &'a str,
        name: &'a str,
    }
    #[derive(Serialize)]
    struct List<'a> {
        status: &'static str,
        services: Vec<Service<'a>>,
    }
    let country = ask.country()?.and_then(|row| row.country());
    let catalog = read(app, caller).await?;
    let here: BTreeSet<&str> = catalog
        .counts()
        .into_keys()
        .filter(|(_, place)| country.is_none_or(|one| one == *place))
        .map(|(code, _)| code)
        .collect();
    let services = catalog.services.iter().filter(|service| here.contains(service.code.as_str()));
    let services = services.map(|service| Service { code: &service.code, name: &service.name }).collect();
    Ok(Answer::json(&List { status: "success", services }))
}

/// `getOperators`: networks by country.
pub(super) async fn operators(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct List {
        status: &'static str,
        country_operators: BTreeMap<String, BTreeSet<String>>,
    }
    let country = ask.country()?.and_then(|row| row.country());
    let catalog = read(app, caller).await?;
    let mut list: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in catalog.stock.iter().filter(|line| country.is_none_or(|one| one == line.country)) {
        if let Some(row) = countries::of(line.country) {
            list.entry(row.id.to_string()).or_default().insert(line.operator.clone());
        }
    }
    if list.is_empty() {
        return Ok(Answer::none("OPERATORS_NOT_FOUND", 404));
    }
    Ok(Answer::json(&List { status: "success", country_operators: list }))
}

/// A country where a service can be had. The list is keyed by the country's number: a client looks for it there.
#[derive(Serialize)]
struct Top {
    country: u16,
    count: i64,
    price: f64,
    retail_price: f64,
    #[serde(rename = "freePriceMap")]
    by_price: BTreeMap<String, i64>,
}

/// `getTopCountriesByService`.
pub(super) async fn top_countries(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let catalog = read(app, caller).await?;
    let service = ask.get("service").and_then(|code| catalog.service(code));
    let service = service.ok_or_else(|| Answer::word("BAD_SERVICE", 400))?;
    let mut list: BTreeMap<String, Top> = BTreeMap::new();
    for ((code, place), count) in catalog.counts() {
        let Some(row) = countries::of(place).filter(|_| code == service.code) else { continue };
        let at = service.price_in(place);
        let by_price = BTreeMap::from([(cents(at), count)]);
        let top = Top { country: row.id, count, price: number(at), retail_price: number(at), by_price };
        list.insert(row.id.to_string(), top);
    }
    Ok(Answer::json(&list))
}
