//! Request bodies: read once, in bounded time and space, and parsed into the route's own type.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::decode::decode;
use super::idempotency_key::{self, IdempotencyKey};
use super::settings::{MaxBody, Settings};
use super::tree::Tree;
use crate::error::{Code, Error, Result};
use crate::secret::sha256;

/// A JSON body as a `T`, with what idempotency needs of it. `T` denies unknown fields and need not name
/// `idempotency_key`: every body may have one.
#[derive(Debug)]
pub struct Body<T> {
    /// The body, parsed.
    pub value: T,
    /// The client's idempotency key, from a header or from the body.
    pub key: Option<IdempotencyKey>,
    /// The body as it came.
    pub bytes: Bytes,
    /// The body as a document; normalize texts in it before taking the fingerprint.
    pub tree: Tree,
}

impl<T> Body<T> {
    /// SHA-256 of the bytes as they came.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }

    /// The request's fingerprint for idempotency.
    pub fn fingerprint(&self, req: &HttpRequest) -> [u8; 32] {
        idempotency_key::fingerprint(req, Some(&self.tree))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media = json_media(req.headers());
        let (req, reading) = (req.clone(), Reading::start(req, payload));
        Box::pin(async move {
            media?;
            parsed(&req, reading.finish().await?)
        })
    }
}

/// Of a body that has nothing to say.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoMembers {}

/// A JSON body that may be left out, as on `POST …/cancel`: nothing at all stands for `{}`.
#[derive(Debug)]
pub struct OptionalBody<T>(pub Body<T>);

impl<T: DeserializeOwned + 'static> FromRequest for OptionalBody<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media = json_media(req.headers());
        let (req, reading) = (req.clone(), Reading::start(req, payload));
        Box::pin(async move {
            let bytes = reading.finish().await?;
            if bytes.is_empty() {
                return parsed(&req, Bytes::from_static(b"{}")).map(OptionalBody);
            }
            media?;
            parsed(&req, bytes).map(OptionalBody)
        })
    }
}

/// A JSON body as a `T`, or a sheet (`text/csv`, up to 8 MiB), for what is long and flat.
#[derive(Debug)]
pub enum Sheet<T> {
    /// `application/json`, as any body.
    Json(Box<Body<T>>),
    /// `text/csv` as it came, with the key of its headers.
    Csv(Bytes, Option<IdempotencyKey>),
}

/// Largest sheet: a hundred thousand lines of some eighty bytes. It is read line by line, not into a tree.
const SHEET_MAX: usize = 8 << 20;

impl<T> Sheet<T> {
    /// The client's idempotency key with the request's fingerprint.
    pub fn key(&self, req: &HttpRequest) -> Option<(&IdempotencyKey, [u8; 32])> {
        match self {
            Sheet::Json(body) => body.key.as_ref().map(|key| (key, body.fingerprint(req))),
            Sheet::Csv(bytes, key) => {
                let print = [idempotency_key::fingerprint(req, None), sha256(bytes)].concat();
                key.as_ref().map(|key| (key, sha256(&print)))
            }
        }
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Sheet<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_csv = is_media(req.headers(), |kind| kind == "text/csv");
        let media = if is_csv { Ok(()) } else { json_media(req.headers()) };
        let (req, mut reading) = (req.clone(), Reading::start(req, payload));
        if is_csv {
            reading.max_bytes = reading.max_bytes.max(SHEET_MAX);
        }
        Box::pin(async move {
            media.map_err(|fault| fault.detail("Send application/json, or text/csv in UTF-8."))?;
            let bytes = reading.finish().await?;
            match is_csv {
                true => Ok(Sheet::Csv(bytes, IdempotencyKey::find(&req, None)?)),
                false => parsed(&req, bytes).map(|body| Sheet::Json(Box::new(body))),
            }
        })
    }
}

/// A body of any kind as bytes, within the same bounds: forms and callbacks, whose signatures cover every byte.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl FromRequest for Raw {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = Reading::start(req, payload);
        Box::pin(async move { reading.finish().await.map(Raw) })
    }
}

fn parsed<T: DeserializeOwned>(req: &HttpRequest, bytes: Bytes) -> Result<Body<T>> {
    let tree = Tree::parse(&bytes)?;
    let value = decode(&tree)?;
    let key = IdempotencyKey::find(req, Some(&tree))?;
    Ok(Body { value, key, bytes, tree })
}

/// `application/json` or `application/…+json`, in UTF-8, not compressed.
fn json_media(headers: &HeaderMap) -> Result<()> {
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes() != b"identity");
    if encoded {
        return Err(Error::new(Code::UnsupportedMediaType).detail("Send the body without a Content-Encoding."));
    }
    let is_json =
        |kind: &str| kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    is_media(headers, is_json).then_some(()).ok_or_else(|| Error::new(Code::UnsupportedMediaType))
}

/// Whether the content type is one that `fits`, in UTF-8 where it says, and not compressed.
fn is_media(headers: &HeaderMap, fits: impl Fn(&str) -> bool) -> bool {
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes() != b"identity");
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let is_utf8 = |part: String| match part.strip_prefix("charset=") {
        Some(charset) => charset.trim_matches('"') == "utf-8",
        None => true,
    };
    !encoded && fits(&kind) && parts.all(is_utf8)
}

/// A body on its way in.
struct Reading {
    payload: Payload,
    announced: Option<u64>,
    max_bytes: usize,
    timeout: Duration,
}

impl Reading {
    fn start(req: &HttpRequest, payload: &mut Payload) -> Self {
        let settings = Settings::of(req);
        let announced = req.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Reading {
            payload: payload.take(),
            announced,
            max_bytes: req.app_data::<MaxBody>().map_or(settings.max_body_bytes, |max| max.0),
            timeout: settings.body_timeout,
        }
    }

    /// The whole body. The time-out covers all of it, so that a byte a second does not keep a connection.
    async fn finish(self) -> Result<Bytes> {
        if self.announced.is_some_and(|length| length > u64::try_from(self.max_bytes).unwrap_or(u64::MAX)) {
            return Err(self.too_large());
        }
        match tokio::time::timeout(self.timeout, self.collect()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Code::RequestTimeout)),
        }
    }

    async fn collect(mut self) -> Result<Bytes> {
        // Most bodies come in one piece, which is then kept as it is.
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(piece) = self.payload.next().await {
            let piece = piece.map_err(|_| cut_off())?;
            if first.len() + rest.len() + piece.len() > self.max_bytes {
                return Err(self.too_large());
            }
            match first.is_empty() {
                true => first = piece,
                false => rest.extend_from_slice(&piece),
            }
        }
        Ok(if rest.is_empty() { first } else { Bytes::from([first, rest.freeze()].concat()) })
    }

    fn too_large(&self) -> Error {
        let detail = format!("This route takes a body of at most {} bytes; split it.", self.max_bytes);
        Error::new(Code::PayloadTooLarge).detail(detail)
    }
}

fn cut_off() -> Error {
    Error::new(Code::MalformedRequest).detail("The body ended before its announced length; send it whole.")
}
