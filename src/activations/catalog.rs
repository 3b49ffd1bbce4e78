//! What can be rented, for everybody to see: kept in memory for a moment, so that who looks costs no database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::countries;
use super::store::{self, ServiceRow, Stock};
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::{Conn, Fresh};
use crate::error::Result;
use crate::money::MoneyView;
use crate::phone::Country;
use crate::terms::Mode;

/// Services and what there is of each.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Services that can be ordered, by code.
    pub services: Vec<ServiceRow>,
    /// What there is of each, by country and network.
    pub stock: Vec<Stock>,
}

impl Catalog {
    /// Reads it.
    pub fn read(conn: &mut Conn, mode: Mode, now: Millis) -> Result<Catalog> {
        let services = store::services(conn)?.into_iter().filter(|service| service.active).collect();
        Ok(Catalog { services, stock: store::stock(conn, mode, now)? })
    }

    /// Free numbers by service and country; a country without a free number is in it with none.
    pub fn counts(&self) -> BTreeMap<(&str, Country), i64> {
        let mut counts: BTreeMap<(&str, Country), i64> = BTreeMap::new();
        for line in &self.stock {
            *counts.entry((line.service.as_str(), line.country)).or_default() += line.free;
        }
        counts
    }

    /// The service of this code.
    pub fn service(&self, code: &str) -> Option<&ServiceRow> {
        self.services.iter().find(|service| service.code == code)
    }
}

/// A service of the catalog.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogService {
    /// The word to order it by.
    #[schema(example = "ot")]
    pub code: String,
    /// Its name.
    #[schema(example = "Any other")]
    pub name: String,
    /// Where it can be had.
    pub countries: Vec<CatalogOffer>,
}

/// What a service costs in a country, and how many numbers are free.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogOffer {
    /// The country (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Numbers that are free now.
    #[schema(example = 5)]
    pub available: i64,
    /// What a code costs.
    pub price: MoneyView,
}

/// A country of the catalog.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogCountry {
    /// The country (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Its number at the text endpoint.
    #[schema(example = 16)]
    pub id: u16,
    /// Its name.
    #[schema(example = "United Kingdom")]
    pub name: String,
    /// What can be had there.
    pub services: Vec<CountryOffer>,
}

/// What a service costs there, and how many numbers are free.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CountryOffer {
    /// The service.
    #[schema(example = "ot")]
    pub code: String,
    /// Numbers that are free now.
    #[schema(example = 5)]
    pub available: i64,
    /// What a code costs.
    pub price: MoneyView,
}

impl Catalog {
    /// By service.
    pub fn by_service(&self) -> Vec<CatalogService> {
        let counts = self.counts();
        let offers = |service: &ServiceRow| {
            let of = counts.iter().filter(|((code, _), _)| *code == service.code);
            of.map(|((_, country), free)| CatalogOffer {
                country: *country,
                available: *free,
                price: MoneyView::new(service.price_in(*country), service.currency),
            })
            .collect()
        };
        let shown = |service: &ServiceRow| CatalogService {
            code: service.code.clone(),
            name: service.name.clone(),
            countries: offers(service),
        };
        self.services.iter().map(shown).collect()
    }

    /// By country.
    pub fn by_country(&self) -> Vec<CatalogCountry> {
        let mut countries: BTreeMap<Country, Vec<CountryOffer>> = BTreeMap::new();
        for ((code, country), free) in self.counts() {
            let Some(service) = self.service(code) else { continue };
            let price = MoneyView::new(service.price_in(country), service.currency);
            let offer = CountryOffer { code: String::from(code), available: free, price };
            countries.entry(country).or_default().push(offer);
        }
        let shown = |(country, services)| {
            let row = countries::of(country)?;
            Some(CatalogCountry { country, id: row.id, name: String::from(row.eng), services })
        };
        countries.into_iter().filter_map(shown).collect()
    }
}

/// The catalog of live numbers, on the shelf of the app.
#[derive(Default)]
struct Shelf {
    known: Fresh<Arc<Catalog>>,
    reading: Mutex<()>,
}

impl FromApp for Shelf {
    fn from_app(_: &App) -> Shelf {
        Shelf::default()
    }
}

/// The catalog of live numbers, at most a second old; one request at a time reads it anew.
pub async fn catalog(app: &App) -> Result<Arc<Catalog>> {
    let shelf = app.room::<Shelf>();
    if let Ok(known) = shelf.known.get() {
        return Ok(known);
    }
    let _alone = shelf.reading.lock().await;
    if let Ok(known) = shelf.known.get() {
        return Ok(known);
    }
    let (begun, now) = (Instant::now(), app.clock.now());
    let fresh = Arc::new(app.db.read(move |conn| Catalog::read(conn, Mode::Live, now)).await?);
    shelf.known.put(begun, fresh.clone());
    Ok(fresh)
}

/// Makes it old: somebody changed what it shows.
pub fn forget_catalog(app: &App) {
    app.room::<Shelf>().known.forget();
}
