//! An invoice on paper: A4, one column of lines, sums at the foot. The font is Inter, embedded (SIL OFL 1.1, in
//! assets/fonts).

use krilla::Document;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;

use super::pen::{Fonts, Pen};
use super::texts::{Line, drawn, evened, grouped, is_nothing, shown};
use super::view::{InvoiceParty, InvoiceView};
use crate::error::{Error, Result};
use crate::terms::Mode;

/// A4 in points, and its margins.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
/// The width of the left column, and most lines of an address or of payment terms.
const SIDE: f32 = 270.0;
const MOST_LINES: usize = 7;
/// Where the numbers of the table end.
const MESSAGES_AT: f32 = 350.0;
const PARTS_AT: f32 = 420.0;
/// The table's first row on the first page and on the others, and the height of a row.
const FIRST_ROWS_AT: f32 = 336.0;
const OTHER_ROWS_AT: f32 = 110.0;
const ROW: f32 = 21.0;
/// Nothing but the footer stands below.
const BOTTOM: f32 = 770.0;
/// Rows that stand above the sums at least, where there are so many.
const KEPT: usize = 3;
/// What the sums and the statement need.
const SUMS: f32 = 235.0;

/// The row that takes off what the wallet has paid.
const PAID: &str = "Paid from balance";

const INK: (u8, u8, u8) = (17, 24, 39);
const SOFT: (u8, u8, u8) = (107, 114, 128);
const ACCENT: (u8, u8, u8) = (15, 118, 110);
const RED: (u8, u8, u8) = (185, 28, 28);
const LINE: (u8, u8, u8) = (209, 213, 219);
const PALE: (u8, u8, u8) = (243, 244, 246);

/// The invoice as a PDF file. Error: `internal`.
pub fn pdf(view: &InvoiceView) -> Result<Vec<u8>> {
    let view = &evened(view);
    let fonts = Fonts::load()?;
    let lines = drawn(view);
    let pages = pages(&lines);
    let mut document = Document::new();
    document.set_metadata(metadata(view));
    for (index, rows) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| Error::internal("A4 is no page"))?;
        let mut page = document.start_page_with(settings);
        draw(Pen::new(page.surface(), &fonts), view, (rows, index, pages.len()));
        page.finish();
    }
    document.finish().map_err(|fault| Error::internal(format!("a PDF could not be written: {fault:?}")))
}

fn draw(mut pen: Pen<'_, '_>, view: &InvoiceView, (rows, index, count): (&[Line], usize, usize)) {
    let top = if index == 0 { FIRST_ROWS_AT } else { OTHER_ROWS_AT };
    if index == 0 {
        head(&mut pen, view);
    } else {
        pen.small(LEFT, 64.0, SOFT, &format!("Invoice {}, continued", view.number));
    }
    let foot = table(&mut pen, rows, top);
    if index + 1 == count {
        sums(&mut pen, view, foot + 16.0);
    }
    pen.small(LEFT, 806.0, SOFT, &format!("{} · {}", view.issuer.name, view.number));
    pen.right(RIGHT, 806.0, 8.5, false, SOFT, &format!("Page {} of {count}", index + 1));
    pen.finish();
}

/// The lines of each page; the last page has room for the sums.
fn pages(lines: &[Line]) -> Vec<&[Line]> {
    let fit = |top: f32, foot: f32| -> usize {
        let mut rows = 0;
        let mut at = top + ROW;
        while at <= foot {
            at += ROW;
            rows += 1;
        }
        rows
    };
    let (mut pages, mut left, mut top) = (Vec::new(), lines, FIRST_ROWS_AT);
    loop {
        if left.len() <= fit(top, BOTTOM - SUMS) {
            pages.push(left);
            return pages;
        }
        // Sums never stand on a page alone.
        let (here, rest) = left.split_at(fit(top, BOTTOM).min(left.len().saturating_sub(KEPT)));
        pages.push(here);
        (left, top) = (rest, OTHER_ROWS_AT);
    }
}

fn metadata(view: &InvoiceView) -> Metadata {
    let mut parts = view.issued_at.rfc3339().chars().take(10).collect::<String>();
    let day = parts.split_off(8).parse().unwrap_or(1);
    let month = parts.get(5..7).and_then(|text| text.parse().ok()).unwrap_or(1);
    let year = parts.get(..4).and_then(|text| text.parse().ok()).unwrap_or(1970);
    Metadata::new()
        .title(format!("Invoice {}", view.number))
        .authors(vec![view.issuer.name.clone()])
        .creator(String::from("Postern"))
        .language(String::from("en"))
        .creation_date(DateTime::new(year).month(month).day(day))
        .document_id(view.id.to_string())
}

fn head(pen: &mut Pen<'_, '_>, view: &InvoiceView) {
    pen.block(0.0, 0.0, WIDTH, 6.0, ACCENT);
    pen.fit((LEFT, SIDE), 72.0, (18.0, true), INK, &view.issuer.name);
    let mut at = 90.0;
    for line in about(&view.issuer) {
        pen.fit((LEFT, SIDE), at, (8.5, false), SOFT, &line);
        at += 12.5;
    }
    pen.right(RIGHT, 72.0, 18.0, true, ACCENT, "INVOICE");
    pen.right(RIGHT, 90.0, 10.0, true, INK, &view.number);
    if view.mode == Mode::Test {
        pen.right(RIGHT, 106.0, 9.0, true, RED, "TEST MONEY, NOT PAYABLE");
    }
    billed_to(pen, &view.customer, 184.0);
    let issued: String = view.issued_at.rfc3339().chars().take(10).collect();
    let period = format!("{} to {}", view.period_start, view.period_end);
    let facts = [("Issued", issued), ("Period", period), ("Due", view.due_on.clone())];
    for (index, (name, value)) in facts.iter().enumerate() {
        let at = 184.0 + 17.0 * rows(index);
        pen.small(345.0, at, SOFT, name);
        pen.right(RIGHT, at, 9.5, false, INK, value);
    }
    pen.block(345.0, 232.0, RIGHT - 345.0, 40.0, PALE);
    pen.text(357.0, 256.5, 9.5, false, SOFT, "Amount due");
    pen.right(RIGHT - 12.0, 257.5, 14.0, true, INK, &shown(&view.due));
}

fn billed_to(pen: &mut Pen<'_, '_>, customer: &InvoiceParty, top: f32) {
    pen.small(LEFT, top, SOFT, "Billed to");
    pen.fit((LEFT, SIDE), top + 17.0, (11.0, true), INK, &customer.name);
    let mut at = top + 32.0;
    for line in about(customer) {
        pen.fit((LEFT, SIDE), at, (9.5, false), INK, &line);
        at += 13.0;
    }
}

/// Address and tax number of a party, as many lines as there is room for.
fn about(party: &InvoiceParty) -> Vec<String> {
    let room = MOST_LINES - usize::from(party.tax_id.is_some());
    let tax = party.tax_id.as_ref().map(|id| format!("Tax no. {id}"));
    party.address.iter().take(room).cloned().chain(tax).collect()
}

/// Draws the table from `top` on; where it ends.
fn table(pen: &mut Pen<'_, '_>, lines: &[Line], top: f32) -> f32 {
    let heading = top - 14.0;
    pen.small(LEFT, heading, SOFT, "Description");
    pen.right(MESSAGES_AT, heading, 8.5, false, SOFT, "Messages");
    pen.right(PARTS_AT, heading, 8.5, false, SOFT, "Parts");
    pen.right(RIGHT, heading, 8.5, false, SOFT, "Amount");
    pen.block(LEFT, top - 6.0, RIGHT - LEFT, 0.8, INK);
    let mut at = top;
    if lines.is_empty() {
        pen.text(LEFT, at + 9.0, 9.5, false, SOFT, "No messages were charged in this month.");
        at += ROW;
    }
    for line in lines {
        pen.text(LEFT, at + 9.0, 9.5, false, INK, &line.text);
        if let Some((messages, parts)) = line.counts {
            pen.right(MESSAGES_AT, at + 9.0, 9.5, false, INK, &grouped(&messages.to_string()));
            pen.right(PARTS_AT, at + 9.0, 9.5, false, INK, &grouped(&parts.to_string()));
        }
        pen.right(RIGHT, at + 9.0, 9.5, false, INK, &shown(&line.amount));
        pen.block(LEFT, at + ROW - 6.0, RIGHT - LEFT, 0.4, LINE);
        at += ROW;
    }
    at
}

fn sums(pen: &mut Pen<'_, '_>, view: &InvoiceView, top: f32) {
    let tax = format!("Tax {} %", view.tax_percent);
    let rows_of = [
        ("Subtotal", &view.subtotal, false),
        (tax.as_str(), &view.tax, false),
        ("Total", &view.total, true),
        (PAID, &view.paid, false),
        ("Amount due", &view.due, true),
    ];
    for (index, (name, money, strong)) in rows_of.iter().enumerate() {
        let at = top + 18.0 * rows(index);
        pen.text(345.0, at, 9.5, *strong, if *strong { INK } else { SOFT }, name);
        let minus = if *name == PAID && !is_nothing(money) { "−" } else { "" };
        pen.right(RIGHT, at, 9.5, *strong, INK, &format!("{minus}{}", shown(money)));
        if *strong {
            pen.block(345.0, at - 12.5, RIGHT - 345.0, 0.6, INK);
        }
    }
    let statement = &view.statement;
    let moves = [
        ("Balance at the beginning", &statement.opening),
        ("Paid in", &statement.topups),
        ("Adjustments", &statement.adjustments),
        ("Charged", &statement.charges),
        ("Balance at the end", &statement.closing),
    ];
    pen.text(LEFT, top, 9.5, true, INK, "Prepaid balance");
    for (index, (name, money)) in moves.iter().enumerate() {
        let at = top + 17.0 + 14.0 * rows(index);
        pen.small(LEFT, at, SOFT, name);
        pen.right(290.0, at, 8.5, false, INK, &shown(money));
    }
    let mut at = top + 125.0;
    if !view.payment_terms.is_empty() && !is_nothing(&view.due) {
        pen.text(LEFT, at, 9.5, true, INK, "How to pay");
        for line in view.payment_terms.iter().take(MOST_LINES) {
            at += 14.0;
            pen.fit((LEFT, RIGHT - LEFT), at, (8.5, false), SOFT, line);
        }
    }
}

fn rows(index: usize) -> f32 {
    u16::try_from(index).map_or(0.0, f32::from)
}

#[cfg(test)]
mod tests {
    use super::super::view::InvoiceLine;
    use super::*;
    use crate::accounts::PlanName;
    use crate::billing::fees::InvoiceFee;
    use crate::money::MoneyView;

    #[test]
    fn every_line_has_a_page_and_the_last_has_room_for_the_sums() {
        let line = Line { text: String::from("SMS"), counts: Some((1, 1)), amount: usd("1.00") };
        for count in 0..120 {
            let lines = vec![line.clone(); count];
            let pages = pages(&lines);
            assert_eq!(pages.iter().map(|page| page.len()).sum::<usize>(), count);
            assert!(pages.last().is_some_and(|last| last.len() <= 21 && last.len() >= count.min(KEPT)), "{count}");
        }
    }

    fn usd(amount: &str) -> MoneyView {
        MoneyView { amount: String::from(amount), currency: String::from("USD") }
    }

    fn invoice(count: i64) -> InvoiceView {
        let line = |n: i64| InvoiceLine {
            channel: String::from(if n % 5 == 4 { "email" } else { "sms" }),
            country: (n % 5 != 4)
                .then(|| String::from(["GB", "US", "DE", "BR"].get(n as usize % 4).copied().unwrap_or("FR"))),
            messages: 12_345 / (n + 1),
            parts: 13_579 / (n + 1),
            amount: usd(&crate::money::Micros(481_234_500 / (n + 1)).to_string()),
        };
        let party = |name: &str, tax: &str| InvoiceParty {
            name: String::from(name),
            address: ["1 Sample Street", "London EC1A 1AA", "United Kingdom"].map(String::from).to_vec(),
            tax_id: Some(String::from(tax)),
        };
        InvoiceView {
            id: "inv_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            number: String::from("INV-000017"),
            org_id: "org_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            mode: Mode::Live,
            month: String::from("2026-11"),
            period_start: String::from("2026-11-01"),
            period_end: String::from("2026-11-30"),
            issuer: party("Postern Messaging Ltd", "GB123456789"),
            customer: party("ACME Größe & Söhne", "DE987654321"),
            fees: vec![InvoiceFee {
                plan: PlanName::Pro,
                from: String::from("2026-11-11"),
                to: String::from("2026-11-30"),
                days: 20,
                of_days: 30,
                amount: usd("32.67"),
            }],
            lines: (0..count).map(line).collect(),
            subtotal: usd("1124.5678"),
            tax_percent: String::from("20.00"),
            tax: usd("224.91"),
            total: usd("1349.4778"),
            paid: usd("1124.5678"),
            due: usd("224.91"),
            payment_terms: vec![String::from("Sample Bank, IBAN GB00 SAMP 0000 0000 0000 00")],
            statement: super::super::view::InvoiceStatement {
                opening: usd("1000.00"),
                topups: usd("2500.00"),
                adjustments: usd("-12.50"),
                charges: usd("-1124.5678"),
                closing: usd("2362.9322"),
            },
            issued_at: crate::clock::Millis(1_796_083_200_000),
            due_on: String::from("2026-12-15"),
        }
    }

    #[test]
    fn an_invoice_is_a_pdf_of_as_many_pages_as_it_takes_with_its_fonts_inside() {
        for (lines, pages) in [(0, 1), (4, 1), (40, 3), (90, 4)] {
            let file = pdf(&invoice(lines)).unwrap();
            let text = String::from_utf8_lossy(&file);
            let count = text.matches("/Type /Page\n").count() + text.matches("/Type/Page/").count();
            assert!(text.starts_with("%PDF-") && text.contains("FontFile"), "{lines}");
            assert_eq!(count, pages, "{lines}");
        }
    }
}
