//! The console's files: one style sheet, one script, and uPlot (MIT) for the charts. Embedded, and kept by browsers for as
//! long as their address stands: it changes with their content.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};
use crate::secret::hex;

/// Name, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("console.css", "text/css; charset=utf-8", include_str!("../../templates/console/assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("../../templates/console/assets/console.js")),
    ("uplot.css", "text/css; charset=utf-8", include_str!("../../templates/console/assets/uplot.css")),
    ("uplot.js", "text/javascript; charset=utf-8", include_str!("../../templates/console/assets/uplot.js")),
    ("mark.svg", "image/svg+xml", include_str!("../../templates/console/assets/mark.svg")),
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let hash = FILES.iter().fold(Sha256::new(), |hash, (_, _, content)| hash.chain_update(content));
    hex(hash.finalize().get(..6).unwrap_or_default())
});

/// What the files' addresses carry: `/console/assets/{version}/console.css`.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// The files' route, open to everybody.
pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(file).service(file_as_it_is);
}

/// A file by its bare name, for the pages of the door, which stand below this room: asked for again each time.
#[get("/assets/{name}")]
async fn file_as_it_is(name: Path<String>) -> Result<HttpResponse> {
    answer("", &name)
}

#[get("/assets/{version}/{name}")]
async fn file(asked: Path<(String, String)>) -> Result<HttpResponse> {
    answer(&asked.0, &asked.1)
}

fn answer(of: &str, name: &str) -> Result<HttpResponse> {
    let found = FILES.iter().find(|(one, ..)| *one == name).ok_or_else(|| Error::new(Code::NotFound))?;
    let kept = if of == version() { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(HttpResponse::Ok()
        .content_type(found.1)
        .insert_header((header::CACHE_CONTROL, kept))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(found.2))
}
