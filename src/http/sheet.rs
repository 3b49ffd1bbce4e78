//! Lists that may come as CSV: a JSON list of objects, or rows under a header that names their members. And what goes
//! out as CSV.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::body::{Body, Sheet, parsed};
use crate::error::{Code, Error, Result};

/// A list of `T` as JSON or as CSV: a [`Sheet`] whose rows are the same objects as the JSON's (UTF-8, comma or semicolon).
/// A cell is a text; an empty cell is an absent member.
#[derive(Debug)]
pub struct Rows<T>(pub Body<Vec<T>>);

impl<T: DeserializeOwned + 'static> FromRequest for Rows<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (reading, req) = (Sheet::from_request(req, payload), req.clone());
        Box::pin(async move {
            match reading.await? {
                Sheet::Json(body) => Ok(Rows(*body)),
                Sheet::Csv(bytes, _) => parsed(&req, Bytes::from(rows(&bytes)?.to_string())).map(Rows),
            }
        })
    }
}

/// Most rows of one sheet.
const MOST: usize = 20_000;

fn rows(bytes: &[u8]) -> Result<Value> {
    let unreadable =
        |why: &str| Error::new(Code::MalformedRequest).detail(format!("The CSV could not be read: {why}."));
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    let (text, reader) = opened(text);
    let mut reader = reader.from_reader(text.as_bytes());
    let names = reader.headers().map_err(|fault| unreadable(&fault.to_string()))?.clone();
    let mut list = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|fault| unreadable(&fault.to_string()))?;
        let cells = names.iter().zip(row.iter().map(meant)).filter(|(_, cell)| !cell.is_empty());
        let object = cells.map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect::<Map<_, _>>();
        // Spreadsheets keep empty rows at the end.
        if object.is_empty() {
            continue;
        }
        list.push(Value::Object(object));
        if list.len() > MOST {
            return Err(Error::field("body", format!("must have at most {MOST} rows")));
        }
    }
    // What is no list at all, any text of one line or a file that was not there, would else be taken for an empty one.
    if list.is_empty() {
        return Err(unreadable("it has no row; an empty list is sent as JSON, []"));
    }
    Ok(Value::Array(list))
}

/// A cell as it was before [`harmless`]: a sheet of ours can be changed and put back.
fn meant(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}

/// A sheet without the byte order mark that spreadsheets begin a file with, and what reads it: comma or semicolon, as its
/// first line has it.
pub fn opened(text: &str) -> (&str, csv::ReaderBuilder) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(delimiter).trim(csv::Trim::All);
    (text, reader)
}

/// Whether the client asks for `media` before JSON.
pub fn wants(req: &HttpRequest, media: &str) -> bool {
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kinds = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    kinds.filter(|kind| kind == media || kind == "application/json").take(1).any(|kind| kind == media)
}

/// 200 with a CSV file of that name; `header` names the columns.
///
/// # Errors
/// `internal` where it cannot be written.
pub fn csv(name: &str, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<HttpResponse> {
    let text = written(header, rows)?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text))
}

fn written(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(Error::internal)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| safe(cell))).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// A cell of ours: an amount stays one.
fn safe(cell: &str) -> String {
    harmless(cell, cell.strip_prefix('-').unwrap_or(cell).bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// A cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front, unless it is known
/// to be a number.
/// Source: OWASP, CSV injection, <https://owasp.org/www-community/attacks/CSV_Injection>.
pub fn harmless(cell: &str, is_number: bool) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn rows_are_objects_by_their_header_and_empty_cells_are_absent() {
        let want = serde_json::json!([{"a": "1", "b": "x, y"}, {"a": "2"}]);
        assert_eq!(rows(b"a,b\n1,\"x, y\"\n2,\n").unwrap(), want);
        assert_eq!(rows("\u{feff}a;b\r\n1;x, y\r\n2;\r\n".as_bytes()).unwrap(), want);
        assert_eq!(rows(b"a,b\n1,\"x, y\"\n,\n2,\n,\n").unwrap(), want);
        assert_eq!(rows(b"a\n'+44\n'x\n").unwrap(), serde_json::json!([{"a": "+44"}, {"a": "'x"}]));
        for bad in [&b""[..], b"a,b\n1,2,3\n", b"\xff\xfe", b"a,b\n", b"0.5"] {
            assert_eq!(rows(bad).unwrap_err().code(), Code::MalformedRequest);
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_a_number_is_one() {
        let cells = ["=1+1", "+1", "-2+3", "@x", "\tx", "-0.0075", "12.00", "a,b", "\"", ""].map(String::from);
        let text = String::from_utf8(written(&["a"], cells.map(|cell| vec![cell])).unwrap()).unwrap();
        assert_eq!(text, "a\n'=1+1\n'+1\n'-2+3\n'@x\n'\tx\n-0.0075\n12.00\n\"a,b\"\n\"\"\"\"\n\"\"\n");
    }

    #[test]
    fn what_is_asked_for_first_is_given() {
        let asks = |accept: &str| {
            wants(&TestRequest::default().insert_header(("accept", accept)).to_http_request(), "text/csv")
        };
        assert!(asks("text/csv") && asks("Text/CSV; q=0.9, application/json") && asks("*/*, text/csv"));
        assert!(!asks("application/json, text/csv") && !asks("*/*") && !asks(""));
    }
}
