//! Where the money went: by day, key, channel or country; and what a verified user costs.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::{Currency, Micros, MoneyView};
use crate::terms::Mode;
use crate::wallet::{self, Spend, date_of};

crate::text_enum! {
    /// What spending is grouped by.
    pub enum GroupBy as "SpendGroup" { Day = "day", Key = "key", Channel = "channel", Country = "country" }
}

/// What was spent on one of a group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpendLine {
    /// The day, the key's id, the channel or the country; empty where a message has none (mail has no country).
    #[schema(example = "GB")]
    pub group: String,
    /// Messages charged.
    pub messages: i64,
    /// Their billed parts.
    pub parts: i64,
    /// What they cost.
    pub amount: MoneyView,
}

/// What a verified user costs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CodeCost {
    /// Verifications approved of those begun in the stretch.
    pub approved: i64,
    /// What the codes sent in the stretch cost.
    pub spent: MoneyView,
    /// That for each approved verification; absent where none was.
    pub per_verified_user: Option<MoneyView>,
}

/// Where the money went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpendReport {
    /// From this moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Millis,
    /// Until before this one.
    #[schema(value_type = String, format = DateTime)]
    pub to: Millis,
    /// What it is grouped by.
    pub group_by: GroupBy,
    /// The groups, dearest first; days in their order.
    pub data: Vec<SpendLine>,
    /// All of it, by currency.
    pub total: Vec<MoneyView>,
    /// What a verified user costs, by currency. Of messages that are still kept.
    pub verifications: Vec<CodeCost>,
}

/// Reports on what `owner` was charged from `from` until before `to`.
pub fn report(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    (from, to): (Millis, Millis),
    group_by: GroupBy,
) -> Result<SpendReport> {
    let spend = wallet::spend(conn, owner, from, to)?;
    let (codes, approved) = store::codes(conn, owner, from, to)?;
    Ok(SpendReport {
        from,
        to,
        group_by,
        data: grouped(&spend, group_by),
        total: totals(&spend),
        verifications: codes.into_iter().map(|(currency, spent)| code_cost(currency, spent, approved)).collect(),
    })
}

fn code_cost(currency: Currency, spent: Micros, approved: i64) -> CodeCost {
    let each = spent.0.checked_div(approved).map(|each| MoneyView::new(Micros(each), currency));
    CodeCost { approved, spent: MoneyView::new(spent, currency), per_verified_user: each }
}

fn grouped(spend: &[Spend], group_by: GroupBy) -> Vec<SpendLine> {
    let mut groups: BTreeMap<(String, Currency), (i64, i64, i64)> = BTreeMap::new();
    for line in spend {
        let group = match group_by {
            GroupBy::Day => date_of(Millis(line.day.saturating_mul(86_400_000))),
            GroupBy::Key => line.key_id.map(|id| id.to_string()).unwrap_or_default(),
            GroupBy::Channel => line.channel.map(|channel| channel.to_string()).unwrap_or_default(),
            GroupBy::Country => line.country.map(|country| country.to_string()).unwrap_or_default(),
        };
        let (messages, parts, amount) = groups.entry((group, line.currency)).or_default();
        *messages = messages.saturating_add(line.messages);
        *parts = parts.saturating_add(line.parts);
        *amount = amount.saturating_add(line.amount.0);
    }
    let mut list: Vec<_> = groups.into_iter().collect();
    if group_by != GroupBy::Day {
        list.sort_by_key(|(_, (_, _, amount))| std::cmp::Reverse(*amount));
    }
    list.into_iter()
        .map(|((group, currency), (messages, parts, amount))| SpendLine {
            group,
            messages,
            parts,
            amount: MoneyView::new(Micros(amount), currency),
        })
        .collect()
}

fn totals(spend: &[Spend]) -> Vec<MoneyView> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for line in spend {
        let sum = sums.entry(line.currency).or_default();
        *sum = sum.saturating_add(line.amount.0);
    }
    sums.into_iter().map(|(currency, sum)| MoneyView::new(Micros(sum), currency)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_add_up_dearest_first_and_days_in_order() {
        let line = |day, country: Option<&str>, amount| Spend {
            day,
            key_id: None,
            channel: None,
            country: country.map(|c| c.parse().unwrap()),
            currency: Currency::USD,
            messages: 1,
            parts: 2,
            amount: Micros(amount),
        };
        let spend = [line(1, Some("GB"), 10), line(0, Some("US"), 25), line(2, Some("GB"), 20), line(2, None, 1)];
        let shown = |by| -> Vec<_> {
            grouped(&spend, by).into_iter().map(|l| (l.group, l.messages, l.parts, l.amount.amount)).collect()
        };
        let row = |group: &str, messages, amount: &str| (group.to_owned(), messages, messages * 2, amount.to_owned());
        let want = [row("GB", 2, "0.00003"), row("US", 1, "0.000025"), row("", 1, "0.000001")];
        assert_eq!(shown(GroupBy::Country), want);
        let days: Vec<_> = shown(GroupBy::Day).into_iter().map(|row| row.0).collect();
        assert_eq!(days, ["1970-01-01", "1970-01-02", "1970-01-03"]);
        assert_eq!(totals(&spend), [MoneyView::new(Micros(56), Currency::USD)]);
        assert_eq!(code_cost(Currency::USD, Micros(10), 0).per_verified_user, None);
        assert_eq!(code_cost(Currency::USD, Micros(10), 4).per_verified_user.unwrap().amount, "0.000002");
    }
}
