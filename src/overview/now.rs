//! The overview, put together: read once for all who ask within a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::hand_offs::{self, Did, SAMPLE, WINDOW, share};
use super::minutes::{Counts, Minutes, start_of};
use super::spend::{Full, Today, daily_caps};
use super::standing::{CarrierFact, Facts, HeldFact, judge};
use super::store;
use super::view::{
    CapFill, CapsView, CarrierHealth, ConversionView, CountryView, MinuteView, OverviewView, QueueView, Tiles,
};
use crate::alerts;
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::Conn;
use crate::disk::Room;
use crate::error::Result;
use crate::money::{Currency, Micros, MoneyView};
use crate::providers::circuit::State as Circuit;
use crate::routing::{self, watch};
use crate::sentinel;
use crate::terms::{Channel, Mode};

/// An answer is shared for so long.
const SHARED: Duration = Duration::from_secs(1);
/// The rate of a week before is kept for so long.
const WEEK_KEPT: Duration = Duration::from_secs(60);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const HOUR: Duration = Duration::from_secs(3_600);
/// An opened circuit of another process is believed for so long; that process would have tried it again by then.
const BELIEVED: Duration = Duration::from_secs(10 * 60);
/// What waits is counted up to this.
const QUEUE_MAX: i64 = 100_000;
/// Holds whose refusals are counted.
const HELD_MAX: i64 = 20;
/// Alerts that are shown.
const ALERTS_MAX: usize = 20;
/// Countries that are shown.
const COUNTRIES: usize = 5;

/// What is kept of one world between two questions.
#[derive(Debug, Clone, Default)]
struct Kept {
    minutes: Minutes,
    today: Today,
    week: Option<(Millis, Option<f64>)>,
    answer: Option<Arc<OverviewView>>,
}

/// Both worlds, each read by one at a time.
struct Desk {
    live: Mutex<Kept>,
    test: Mutex<Kept>,
}

impl FromApp for Desk {
    fn from_app(_app: &App) -> Self {
        Desk { live: Mutex::default(), test: Mutex::default() }
    }
}

/// A carrier of this process, before the tables are asked.
struct Here {
    name: String,
    channels: Vec<Channel>,
    circuit: Circuit,
}

/// How the platform does now. Who asks while another does, waits for the same answer.
pub async fn overview(app: &App, mode: Mode) -> Result<Arc<OverviewView>> {
    let desk = app.room::<Desk>();
    let mut kept = match mode {
        Mode::Live => desk.live.lock().await,
        Mode::Test => desk.test.lock().await,
    };
    let now = app.clock.now();
    if let Some(answer) = kept.answer.as_ref().filter(|answer| now >= answer.at && now.since(answer.at) < SHARED) {
        return Ok(Arc::clone(answer));
    }
    let here = carriers_here(app, mode);
    let low_disk = Room::of_data(&app.config).filter(|room| room.is_low()).map(|room| (room.free, room.total));
    let mut next = kept.clone();
    let next = app
        .db
        .read(move |conn| {
            let answer = read(conn, &mut next, (&here, low_disk), (mode, now))?;
            next.answer = Some(Arc::new(answer));
            Ok(next)
        })
        .await?;
    *kept = next;
    kept.answer.clone().ok_or_else(|| crate::error::Error::internal("an overview without an answer"))
}

/// Live messages go by every carrier; test ones by those that are scripts.
fn carriers_here(app: &App, mode: Mode) -> Vec<Here> {
    let is_used = |is_scripted: bool| mode == Mode::Live || is_scripted;
    let carriers = app.carriers.iter().filter(|carrier| is_used(carrier.is_scripted()));
    let here = carriers.map(|carrier| Here {
        name: String::from(carrier.name()),
        channels: carrier.channels().to_vec(),
        circuit: app.carriers.circuits().state(carrier.name()),
    });
    here.collect()
}

fn read(
    conn: &mut Conn,
    kept: &mut Kept,
    (here, low_disk): (&[Here], Option<(u64, u64)>),
    (mode, now): (Mode, Millis),
) -> Result<OverviewView> {
    kept.minutes.refresh(conn, mode, now)?;
    let sample = store::hand_offs(conn, now.minus(WINDOW), mode, SAMPLE)?;
    let (all, by_carrier) = hand_offs::did(&sample);
    let carriers = carriers(conn, here, &by_carrier, now)?;
    let queue = store::queue(conn, now, QUEUE_MAX)?;
    let recent = kept.minutes.last(5, now).fold(Counts::default(), |sum, (_, minute)| sum.with(minute.sum()));
    let facts = Facts {
        mode,
        pauses: routing::pauses(conn)?.0,
        carriers: carriers.iter().map(|one| fact(one, &by_carrier)).collect(),
        held: held(conn, mode, now)?,
        failed: (recent.failed, recent.messages() - recent.waiting),
        queue: (queue.oldest, queue.waiting),
        low_disk,
    };
    let last_minute = kept.minutes.last(2, now).next().map_or(0, |(_, minute)| minute.sum().messages());
    let rate_week_before = week_before(conn, kept, mode, now)?;
    let hour = kept.minutes.0.values().fold(Counts::default(), |sum, minute| sum.with(minute.sum()));
    Ok(OverviewView {
        mode,
        at: now,
        standing: judge(&facts, now),
        tiles: Tiles {
            accepted_per_minute: last_minute,
            hand_off_p95_ms: all.p95_ms(),
            conversion: ConversionView {
                begun: hour.begun,
                verified: hour.verified,
                rate: share(hour.verified, hour.begun),
                rate_week_before,
            },
            spent_today: shown(&kept.today.charged(conn, mode, now)?),
            caps: caps(&daily_caps(conn, mode, now)?),
        },
        minutes: strip(&kept.minutes, now),
        carriers,
        countries: countries(&kept.minutes),
        queue: QueueView {
            waiting: queue.waiting,
            oldest_s: queue.oldest.and_then(|at| i64::try_from(now.since(at).as_secs()).ok()),
        },
        alerts: alerts::open_alerts(conn, ALERTS_MAX, now)?,
    })
}

fn carriers(conn: &mut Conn, here: &[Here], did: &BTreeMap<String, Did>, now: Millis) -> Result<Vec<CarrierHealth>> {
    let draining = routing::draining(conn)?;
    let names: BTreeSet<&str> = here.iter().map(|one| one.name.as_str()).collect();
    let told = watch::latest_of_carriers(conn, &names)?;
    let mut views = Vec::new();
    for one in here {
        let told = told.get(&one.name);
        // A process that only serves hands nothing over: what another one says of the circuit is believed for a while.
        let opened_elsewhere =
            told.is_some_and(|event| event.to_state == watch::Stand::Open && now.since(event.at) < BELIEVED);
        let circuit = if one.circuit == Circuit::Closed && opened_elsewhere { Circuit::Open } else { one.circuit };
        let since = told.filter(|event| event.to_state == watch::Stand::from(circuit)).map(|event| event.at);
        let did = did.get(&one.name);
        views.push(CarrierHealth {
            name: one.name.clone(),
            channels: one.channels.clone(),
            circuit,
            since,
            draining: draining.contains(&one.name),
            hand_offs: did.map_or(0, |did| did.ended),
            success: did.and_then(Did::success),
            p95_ms: did.and_then(Did::p95_ms),
        });
    }
    views.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(views)
}

fn fact(carrier: &CarrierHealth, did: &BTreeMap<String, Did>) -> CarrierFact {
    CarrierFact {
        name: carrier.name.clone(),
        channels: carrier.channels.clone(),
        circuit: carrier.circuit,
        since: carrier.since,
        last_accepted: did.get(&carrier.name).and_then(|did| did.last_accepted),
    }
}

/// What the engine holds now, with what was refused for it in the last hour.
fn held(conn: &mut Conn, mode: Mode, now: Millis) -> Result<Vec<HeldFact>> {
    let rows = sentinel::list_holds(conn, None, true, None, HELD_MAX)?;
    let standing = rows.into_iter().filter(|row| row.mode == mode && row.until_at > now);
    standing
        .map(|row| {
            let since = row.begun_at.max(now.minus(HOUR));
            let refused = store::refused_for(conn, (row.org_id, mode), since, &row.shown)?;
            Ok(HeldFact { group: row.shown, org_id: row.org_id, since: row.begun_at, refused })
        })
        .collect()
}

/// The conversion of the same hour a week ago.
fn week_before(conn: &mut Conn, kept: &mut Kept, mode: Mode, now: Millis) -> Result<Option<f64>> {
    if let Some((_, rate)) = kept.week.filter(|(at, _)| now >= *at && now.since(*at) < WEEK_KEPT) {
        return Ok(rate);
    }
    let then = now.minus(WEEK);
    let rows = store::verified(conn, (then.minus(HOUR), then), mode)?;
    let (begun, verified) = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.begun, sum.1 + row.verified));
    let rate = share(verified, begun);
    kept.week = Some((now, rate));
    Ok(rate)
}

fn strip(minutes: &Minutes, now: Millis) -> Vec<MinuteView> {
    let view = |(minute, known): (i64, super::minutes::Minute)| {
        let sum = known.sum();
        MinuteView {
            at: start_of(minute),
            sent: sum.sent,
            delivered: sum.delivered,
            failed: sum.failed,
            blocked: known.blocked,
            unknown: sum.unknown,
            waiting: sum.waiting,
        }
    };
    minutes.last(super::minutes::KEPT, now).map(view).collect()
}

fn countries(minutes: &Minutes) -> Vec<CountryView> {
    let by_country = minutes.by_country();
    let mut views: Vec<CountryView> = by_country
        .into_iter()
        .filter_map(|(country, counts)| {
            Some(CountryView {
                country: country?,
                messages: counts.messages(),
                delivered: counts.delivered,
                begun: counts.begun,
                verified: counts.verified,
                conversion: share(counts.verified, counts.begun),
            })
        })
        .collect();
    views.sort_by_key(|view| (std::cmp::Reverse(view.messages), view.country));
    views.truncate(COUNTRIES);
    views
}

fn shown(sums: &BTreeMap<Currency, Micros>) -> Vec<MoneyView> {
    sums.iter().map(|(currency, micros)| MoneyView::new(*micros, *currency)).collect()
}

fn caps(full: &[Full]) -> CapsView {
    let (mut limit, mut spent) = (BTreeMap::new(), BTreeMap::new());
    for one in full {
        for (sums, micros) in [(&mut limit, one.limit), (&mut spent, one.spent)] {
            let sum = sums.entry(one.currency).or_insert(Micros::ZERO);
            *sum = Micros(sum.0.saturating_add(micros.0));
        }
    }
    let fullest = full.first().map(|one| CapFill {
        org_id: one.org_id,
        limit: MoneyView::new(one.limit, one.currency),
        spent: MoneyView::new(one.spent, one.currency),
        // Shares need no micros: cents would do.
        share: share(one.spent.0 / 1_000, one.limit.0 / 1_000),
    });
    CapsView { organizations: full.len(), limit: shown(&limit), spent: shown(&spent), fullest }
}
