//! The console's files: one style sheet, one script, and uPlot (MIT) for the charts. Embedded, and kept by browsers for as
//! long as their address stands: it changes with their content.
//!
//! Packed once, at their first use. Pages are never packed: they hold the token of the session's forms beside what the
//! address brought, and the length of a packed page would tell of the token (BREACH, <https://www.breachattack.com>).

use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
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

/// The files as gzip has them, in the same order; empty where packing would not make a file smaller.
static PACKED: LazyLock<Vec<Bytes>> = LazyLock::new(|| FILES.iter().map(|(.., content)| packed(content)).collect());

fn packed(content: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let done = encoder.write_all(content.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
    if done.len() < content.len() { Bytes::from(done) } else { Bytes::new() }
}

/// Whether the client takes gzip: named without `q=0`. RFC 9110, section 12.5.3.
fn takes_gzip(req: &HttpRequest) -> bool {
    let asked = req.headers().get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    asked.flat_map(|value| value.split(',')).any(|one| {
        let (coding, quality) = one.split_once(';').unwrap_or((one, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        coding.trim().eq_ignore_ascii_case("gzip") && quality.is_ok_and(|quality| quality > 0.0)
    })
}

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
async fn file_as_it_is(req: HttpRequest, name: Path<String>) -> Result<HttpResponse> {
    answer(&req, "", &name)
}

#[get("/assets/{version}/{name}")]
async fn file(req: HttpRequest, asked: Path<(String, String)>) -> Result<HttpResponse> {
    answer(&req, &asked.0, &asked.1)
}

fn answer(req: &HttpRequest, of: &str, name: &str) -> Result<HttpResponse> {
    let mut both = FILES.iter().zip(PACKED.iter());
    let found = both.find(|((one, ..), _)| *one == name);
    let ((_, media_type, content), packed) = found.ok_or_else(|| Error::new(Code::NotFound))?;
    let kept = if of == version() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = HttpResponse::Ok();
    response
        .content_type(*media_type)
        .insert_header((header::CACHE_CONTROL, kept))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if packed.is_empty() || !takes_gzip(req) {
        return Ok(response.body(*content));
    }
    Ok(response.insert_header((header::CONTENT_ENCODING, "gzip")).body(packed.clone()))
}
