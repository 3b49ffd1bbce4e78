//! Low balances: an event at each threshold, and a top-up that is asked for where the organization wants that. Looked
//! for every few seconds among the wallets that have settings, so that accepting a message pays nothing for it.

use std::time::Duration;

use serde_json::json;

use super::settings::{shown, thresholds};
use super::store::{self, SettingsRow};
use super::topups::{self, Source};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::money::Micros;
use crate::wallet::{self, Wallet};
use crate::webhooks::{self, EventType, NewEvent};

/// Looks at every wallet with settings; how many events that made.
pub async fn watch(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let moved = app
        .db
        .read(move |conn| {
            let mut moved = Vec::new();
            for row in store::all_settings(conn)? {
                let owner = (row.org_id, row.mode);
                let Found { below, wanting } = found(&row, wallet::read(conn, owner.0, owner.1)?.available());
                if below != row.told_micros || (wanting && !store::has_auto(conn, owner, now.minus(PATIENCE))?) {
                    moved.push(owner);
                }
            }
            Ok(moved)
        })
        .await?;
    let mut events = 0;
    for owner in moved {
        let clock = app.clock.clone();
        events += app
            .db
            .write(move |conn| {
                let now = crate::db::now(conn, &clock)?;
                // Again under the wallet's lock: another node may have been here.
                let wallet = wallet::load_for_update(conn, &[owner], now)?.remove(&owner);
                let row = store::find_settings(conn, owner)?;
                wallet.zip(row).map_or(Ok(0), |(wallet, row)| tell(conn, row, &wallet, now))
            })
            .await?;
    }
    Ok(events)
}

/// What is true of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    /// The lowest threshold that it is below.
    below: Option<Micros>,
    /// Whether money is to be paid in.
    wanting: bool,
}

/// After a payment that failed nothing is asked for by itself for so long.
const PATIENCE: Duration = Duration::from_secs(3_600);

fn found(row: &SettingsRow, available: Micros) -> Found {
    let below = thresholds(row).into_iter().filter(|threshold| available < *threshold).min();
    Found { below, wanting: row.auto_below_micros.is_some_and(|below| available < below) }
}

fn tell(conn: &mut Conn, row: SettingsRow, wallet: &Wallet, now: Millis) -> Result<usize> {
    let owner = (row.org_id, row.mode);
    let Found { below, wanting } = found(&row, wallet.available());
    let mut told = 0;
    if let Some(threshold) = below
        && row.told_micros.is_none_or(|told| threshold < told)
    {
        let data = || json!({"threshold": shown(threshold, wallet), "available": shown(wallet.available(), wallet)});
        webhooks::emit(conn, &[NewEvent { owner, kind: EventType::WalletLowBalance, data: Box::new(data) }], now)?;
        tracing::warn!(org.id = %owner.0, mode = %owner.1, "less than {threshold} {} is free", wallet.currency);
        told += 1;
    }
    if below != row.told_micros {
        store::put_settings(conn, &SettingsRow { told_micros: below, ..row.clone() })?;
    }
    if let Some(amount) = row.auto_amount_micros.filter(|_| wanting)
        && !store::has_auto(conn, owner, now.minus(PATIENCE))?
    {
        let topup = topups::ask(conn, owner, (amount, Some(wallet.currency)), Source::Auto, now)?;
        let view = topups::TopupView::from(&topup);
        let data =
            || json!({"topup_id": topup.id, "amount": view.amount, "available": shown(wallet.available(), wallet)});
        webhooks::emit(conn, &[NewEvent { owner, kind: EventType::WalletAutoTopup, data: Box::new(data) }], now)?;
        By::local(Actor::System, now).tell(conn, "topup.request", topup.id, Change::made(&view))?;
        told += 1;
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrgId;
    use crate::terms::Mode;

    #[test]
    fn the_lowest_threshold_counts_and_money_is_wanted_below_its_own() {
        let row = SettingsRow {
            org_id: OrgId::new(Millis(1)),
            mode: Mode::Live,
            thresholds: String::from("[50,10]"),
            told_micros: None,
            auto_below_micros: Some(Micros(20)),
            auto_amount_micros: Some(Micros(100)),
            updated_at: Millis(1),
        };
        let at = |free| found(&row, Micros(free));
        assert_eq!(at(50), Found { below: None, wanting: false });
        assert_eq!(at(49), Found { below: Some(Micros(50)), wanting: false });
        assert_eq!(at(19), Found { below: Some(Micros(50)), wanting: true });
        assert_eq!(at(9), Found { below: Some(Micros(10)), wanting: true });
    }
}
