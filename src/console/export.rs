//! A whole table as a sheet or as JSON: the same rows as its page, up to a cap; told to the audit log.

use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::{Value, json};

use crate::audit::Change;
use crate::console::cells::{plain, rows_at};
use crate::console::desk::Desk;
use crate::console::listing::{Listing, Place, address, query, route};
use crate::console::pages::LISTINGS;
use crate::console::table::{Chosen, asked, sheet};
use crate::error::{Code, Error, Result};
use crate::http::csv;

/// Most rows of an export.
const MOST: usize = 10_000;

/// Rows of one call.
const AT_ONCE: &str = "200";

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(export);
}

#[get("/export/{name}.{form:csv|json}")]
async fn export(desk: Desk, asked: Path<(String, String)>) -> Result<HttpResponse> {
    let (name, form) = asked.into_inner();
    let listing = LISTINGS.iter().find(|listing| listing.name == name).ok_or_else(|| Error::new(Code::NotFound))?;
    let rows = all_rows(&desk, listing).await?;
    let told = json!({"table": listing.name, "rows": rows.len(), "form": form});
    desk.tell("console.export", listing.name, Change::made(&told)).await?;
    if form == "csv" {
        let (heads, cells) = sheet(listing, &rows, desk.words);
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        return csv(listing.name, &heads, cells);
    }
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.json\"", listing.name)))
        .body(Value::Array(rows).to_string()))
}

async fn all_rows(desk: &Desk, listing: &'static Listing) -> Result<Vec<Value>> {
    let path: Vec<(&str, &str)> =
        desk.pairs.iter().filter_map(|(name, value)| Some((name.strip_prefix("p.")?, value.as_str()))).collect();
    let fixed: Vec<(&str, &str)> = desk
        .pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| {
            !name.starts_with("p.") && *name != "mode" && listing.filters.iter().all(|filter| filter.name != *name)
        })
        .collect();
    let place = Place { path: &path, fixed: &fixed, prefix: "" };
    let asked = asked(listing, &place, &Chosen::of(&desk.pairs, ""), desk.mode());
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let paging = [("limit", AT_ONCE), ("cursor", cursor.as_str())];
        let paging = paging.into_iter().filter(|_| listing.is_paged);
        let pairs = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(paging);
        let answer = desk.get(&address(&route(listing.api, path.iter().copied()), &query(pairs))).await?;
        if let Some(problem) = answer.problem() {
            return Err(Error::new(Code::ValidationFailed).detail(problem));
        }
        rows.extend_from_slice(rows_at(&answer.body, listing.rows));
        cursor = answer.body.get("next_cursor").map(plain).unwrap_or_default();
        if cursor.is_empty() || rows.len() >= MOST {
            rows.truncate(MOST);
            return Ok(rows);
        }
    }
}
