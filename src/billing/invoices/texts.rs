//! The words and numbers on an invoice's page.

use super::view::{InvoiceLine, InvoiceView};
use crate::accounts::PlanName;
use crate::billing::fees::InvoiceFee;
use crate::money::MoneyView;

/// A line of the table.
#[derive(Clone)]
pub(super) struct Line {
    /// What it is for.
    pub text: String,
    /// Messages and parts; a fee has none.
    pub counts: Option<(i64, i64)>,
    /// What it costs.
    pub amount: MoneyView,
}

/// What the table shows: the fees, then the messages.
pub(super) fn drawn(view: &InvoiceView) -> Vec<Line> {
    let fees = view.fees.iter().map(|fee| Line { text: fee_text(fee), counts: None, amount: fee.amount.clone() });
    let lines = view.lines.iter().map(|line| Line {
        text: described(line),
        counts: Some((line.messages, line.parts)),
        amount: line.amount.clone(),
    });
    fees.chain(lines).collect()
}

fn fee_text(fee: &InvoiceFee) -> String {
    let plan = match fee.plan {
        PlanName::Free => "Free",
        PlanName::Pro => "Pro",
        PlanName::Enterprise => "Enterprise",
    };
    match fee.days == fee.of_days {
        true => format!("{plan} plan, {} to {}", fee.from, fee.to),
        false => format!("{plan} plan, {} to {} ({} of {} days)", fee.from, fee.to, fee.days, fee.of_days),
    }
}

fn described(line: &InvoiceLine) -> String {
    let what = match line.channel.as_str() {
        "sms" => "SMS",
        "whatsapp" => "WhatsApp messages",
        "email" => "Emails",
        other => other,
    };
    match &line.country {
        Some(country) => format!("{what} to {country}"),
        None => String::from(what),
    }
}

/// Whether it is nothing at all.
pub(super) fn is_nothing(money: &MoneyView) -> bool {
    money.amount.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// The same with as many places in every amount of a column, so that points stand below points.
pub(super) fn evened(view: &InvoiceView) -> InvoiceView {
    fn even(column: &mut [&mut MoneyView]) {
        let places = |money: &MoneyView| money.amount.split_once('.').map_or(0, |(_, rest)| rest.len());
        let most = column.iter().map(|money| places(money)).max().unwrap_or(0);
        for money in column {
            let missing = most.saturating_sub(places(money));
            money.amount.push_str(&"0".repeat(missing));
        }
    }
    let mut view = view.clone();
    let fees = view.fees.iter_mut().map(|fee| &mut fee.amount);
    even(&mut view.lines.iter_mut().map(|line| &mut line.amount).chain(fees).collect::<Vec<_>>());
    // What is to be paid stays as it would be paid.
    even(&mut [&mut view.subtotal, &mut view.tax, &mut view.total, &mut view.paid]);
    let statement = &mut view.statement;
    even(&mut [
        &mut statement.opening,
        &mut statement.topups,
        &mut statement.adjustments,
        &mut statement.charges,
        &mut statement.closing,
    ]);
    view
}

/// `1,234.50 USD`.
pub(super) fn shown(money: &MoneyView) -> String {
    format!("{} {}", grouped(&money.amount), money.currency)
}

/// Digits in groups of three.
pub(super) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    fraction.map_or(out.clone(), |fraction| format!("{out}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (plain, want) in [("0.00", "0.00"), ("-1234.5", "−1,234.5"), ("1000000", "1,000,000"), ("999", "999")] {
            assert_eq!(grouped(plain), want);
        }
    }
}
