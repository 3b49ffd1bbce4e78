//! The live tail: what happens, a line each, as Server-Sent Events.
//! Source of the format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
//!
//! One loop a process asks the tables while anybody listens, and tells all tails. A tail that does not keep up is ended,
//! never buffered for: its client asks again and says what it saw last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use crate::accounts::Operator;
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::messages::{ActivityView, Since, activity};
use crate::overview::filter::TailFilter;
use crate::signin::is_still_in;

/// Tails of one process at once.
const MOST: usize = 32;
/// How often the tables are asked.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Lines of one answer that are told; of more only the latest are, and that some are missing.
const LINES: usize = 500;
/// Lines that wait for a tail: two seconds of the most that is told.
const WAITING: usize = 2_048;
/// A comment goes out after so long without a line, so that nobody between takes the connection for dead.
const BEAT: Duration = Duration::from_secs(15);
/// How often it is asked whether the operator may still see: what ended their session or token ends their tails.
const ADMIT_EVERY: Duration = Duration::from_secs(2);
/// A tail ends by itself after this; its client comes again.
const LIFE: Duration = Duration::from_secs(600);
/// A tail whose connection took nothing for so long has lost its place.
const STALLED: Duration = Duration::from_secs(45);
/// A client that comes again is told what it missed, as far back as this.
const REACH: Duration = Duration::from_secs(300);

/// What the tails are told.
enum Told {
    /// A line, and as it is sent.
    Line(Box<ActivityView>, Bytes),
    /// More happened than is told.
    Gap,
}

/// The tails of this process.
struct Hub {
    told: broadcast::Sender<Arc<Told>>,
    ended: watch::Sender<bool>,
    tails: Mutex<Tails>,
}

#[derive(Default)]
struct Tails {
    next: u64,
    // When each last took something.
    alive: BTreeMap<u64, Instant>,
    is_asking: bool,
}

impl FromApp for Hub {
    fn from_app(_app: &App) -> Self {
        Hub { told: broadcast::channel(WAITING).0, ended: watch::channel(false).0, tails: Mutex::default() }
    }
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Tails> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more tail. Error: `overloaded`.
    fn enter(self: &Arc<Self>, now: Instant) -> Result<Place> {
        let mut tails = self.lock();
        tails.alive.retain(|_, at| now.duration_since(*at) < STALLED);
        if tails.alive.len() >= MOST {
            let why = format!("{MOST} live tails are open on this node; close one, or ask again later.");
            return Err(Error::new(Code::Overloaded).detail(why));
        }
        let number = tails.next;
        tails.next += 1;
        tails.alive.insert(number, now);
        metrics::gauge!("postern_tails").set(f64::from(u32::try_from(tails.alive.len()).unwrap_or(u32::MAX)));
        Ok(Place { hub: Arc::clone(self), number })
    }

    /// Whether the loop is to be started by whoever asks this.
    fn begins_to_ask(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_asking, true)
    }

    /// Whether the loop is to end, since nobody listens.
    fn is_done(&self) -> bool {
        let mut tails = self.lock();
        tails.is_asking = !tails.alive.is_empty() && !*self.ended.borrow();
        !tails.is_asking
    }
}

/// One tail's place; given back when the tail is dropped.
struct Place {
    hub: Arc<Hub>,
    number: u64,
}

impl Place {
    /// Whether the place is still this tail's; notes that it is alive.
    fn holds(&self) -> bool {
        let mut tails = self.hub.lock();
        let place = tails.alive.get_mut(&self.number);
        place.map(|at| *at = Instant::now()).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tails = self.hub.lock();
        tails.alive.remove(&self.number);
        metrics::gauge!("postern_tails").set(f64::from(u32::try_from(tails.alive.len()).unwrap_or(u32::MAX)));
    }
}

/// Ends every tail of this process: it drains.
pub fn end_tails(app: &App) {
    app.room::<Hub>().ended.send_replace(true);
}

/// Follows what happens, for as long as `operator` is let in. `last` is the id of the last line that the client saw
/// (`Last-Event-ID`). Error: `overloaded` where too many tails are open.
pub async fn tail(app: &Data<App>, operator: Operator, filter: TailFilter, last: Option<&str>) -> Result<HttpResponse> {
    let hub = app.room::<Hub>();
    let place = hub.enter(Instant::now())?;
    let (told, ended) = (hub.told.subscribe(), hub.ended.subscribe());
    if hub.begins_to_ask() {
        tokio::spawn(ask_on(app.clone(), Arc::clone(&hub)));
    }
    let mut tail = Tail {
        place,
        told,
        ended,
        filter,
        ready: VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]),
        replayed: BTreeSet::new(),
        until: Instant::now() + LIFE,
        app: app.clone(),
        operator,
        admit_at: Instant::now() + ADMIT_EVERY,
    };
    if let Some((at, id)) = last.and_then(seen_of) {
        tail.replay(app, at, id).await?;
    }
    let lines = stream::unfold(tail, |mut tail| async move {
        let piece = tail.next().await?;
        Some((Ok::<_, Error>(piece), tail))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        .insert_header(("cache-control", "no-store"))
        // nginx would hold the lines back else.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(lines))
}

/// The moment and the id of a line that a client saw, out of the event's id.
fn seen_of(text: &str) -> Option<(Millis, &str)> {
    let (at, id) = text.split_once('.')?;
    Some((Millis(at.parse().ok()?), id))
}

fn event_of(line: &ActivityView) -> Option<Bytes> {
    // JSON has no line feed in it: one data line.
    let json = serde_json::to_string(line).ok()?;
    Some(Bytes::from(format!("id: {}.{}\ndata: {json}\n\n", line.at.0, line.id)))
}

struct Tail {
    place: Place,
    told: broadcast::Receiver<Arc<Told>>,
    ended: watch::Receiver<bool>,
    filter: TailFilter,
    ready: VecDeque<Bytes>,
    // What was told out of the tables already and may come from the loop too.
    replayed: BTreeSet<String>,
    until: Instant,
    app: Data<App>,
    operator: Operator,
    // When it is asked again whether the operator may see.
    admit_at: Instant,
}

impl Tail {
    /// Makes ready what happened after the line `id` of the moment `at`.
    async fn replay(&mut self, app: &App, at: Millis, id: &str) -> Result<()> {
        let now = app.clock.now();
        let since = Since::everything(at.max(now.minus(REACH)));
        let found = app.db.read(move |conn| activity(conn, &since, now)).await?;
        self.replayed.insert(String::from(id));
        let missed: Vec<_> = found.data.into_iter().filter(|line| line.id != id).collect();
        let skipped = missed.len().saturating_sub(LINES);
        if skipped > 0 {
            self.ready.push_back(Bytes::from_static(GAP));
        }
        for line in missed.into_iter().skip(skipped) {
            if self.filter.takes(&line) {
                self.ready.extend(event_of(&line));
            }
            self.replayed.insert(line.id);
        }
        Ok(())
    }

    /// What is sent next: lines, or a comment after a while without; `None` where the tail is over.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.place.holds() || Instant::now() >= self.until || *self.ended.borrow() {
            return None;
        }
        let beat = Instant::now() + BEAT;
        loop {
            if Instant::now() >= self.admit_at && !self.is_admitted().await {
                return None;
            }
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            tokio::select! {
                told = self.told.recv() => match told {
                    Ok(told) => if let Some(piece) = self.piece(&told) {
                        return Some(piece);
                    },
                    // It has not kept up, or the process ends.
                    Err(_) => return None,
                },
                () = tokio::time::sleep_until(beat.min(self.until).min(self.admit_at)) => {
                    let now = Instant::now();
                    if now >= self.until {
                        return None;
                    }
                    if now >= beat {
                        return Some(Bytes::from_static(b": still here\n\n"));
                    }
                }
                _ = self.ended.changed() => return None,
            }
        }
    }

    /// Whether the operator may still see. Where the tables do not answer, it is asked again.
    async fn is_admitted(&mut self) -> bool {
        self.admit_at = Instant::now() + ADMIT_EVERY;
        let (console, operator, now) = (self.app.config.console.clone(), self.operator.clone(), self.app.clock.now());
        let asked = self.app.db.read(move |conn| is_still_in(conn, &console, &operator, now)).await;
        asked.unwrap_or(true)
    }

    fn piece(&self, told: &Told) -> Option<Bytes> {
        match told {
            Told::Gap => Some(Bytes::from_static(GAP)),
            Told::Line(line, event) => {
                (self.filter.takes(line) && !self.replayed.contains(&line.id)).then(|| event.clone())
            }
        }
    }
}

/// An event of its own kind: more happened than is told.
const GAP: &[u8] = b"event: gap\ndata: {}\n\n";

/// Asks the tables until nobody listens.
async fn ask_on(app: Data<App>, hub: Arc<Hub>) {
    let mut since = app.clock.now();
    let mut known: BTreeMap<String, Millis> = BTreeMap::new();
    let is_warned = AtomicBool::new(false);
    while !hub.is_done() {
        let (now, wanted) = (app.clock.now(), Since::everything(since));
        match app.db.read(move |conn| activity(conn, &wanted, now)).await {
            Ok(found) => {
                is_warned.store(false, Ordering::Relaxed);
                // More than an answer holds is not caught up with: the tail is about now.
                since = if found.has_more { now } else { found.next_since };
                tell(&hub, found.data, found.has_more, &mut known);
                known.retain(|_, at| *at >= since);
            }
            Err(fault) => {
                if !is_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(code = %fault.code(), "the live tails are not told: the tables do not answer");
                }
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Tells all tails the lines that are new.
fn tell(hub: &Hub, lines: Vec<ActivityView>, is_cut: bool, known: &mut BTreeMap<String, Millis>) {
    let new: Vec<_> = lines.into_iter().filter(|line| known.insert(line.id.clone(), line.at).is_none()).collect();
    let skipped = new.len().saturating_sub(LINES);
    for line in new.into_iter().skip(skipped) {
        if let Some(event) = event_of(&line) {
            // An error says that nobody listens any more.
            let _ = hub.told.send(Arc::new(Told::Line(Box::new(line), event)));
        }
    }
    if is_cut || skipped > 0 {
        let _ = hub.told.send(Arc::new(Told::Gap));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MessageId, OrgId};
    use crate::terms::{Channel, Mode};

    fn line(what: &str) -> ActivityView {
        let id = MessageId::new(Millis(5));
        ActivityView {
            id: id.to_string(),
            at: Millis(5),
            what: String::from(what),
            org_id: Some(OrgId::first_at(Millis(1))),
            mode: Mode::Live,
            message_id: Some(id),
            verification_id: None,
            channel: Some(Channel::Sms),
            kind: None,
            to: None,
            by: None,
            error_code: None,
            reasons: Vec::new(),
        }
    }

    fn filter(change: impl FnOnce(&mut TailFilter)) -> TailFilter {
        let mut filter = TailFilter::default();
        change(&mut filter);
        filter
    }

    #[test]
    fn a_filter_takes_what_it_names() {
        let line = line("message.delivered");
        assert!(TailFilter::default().takes(&line));
        assert!(filter(|f| f.status = Some(String::from("delivered"))).takes(&line));
        assert!(!filter(|f| f.status = Some(String::from("failed"))).takes(&line));
        assert!(!filter(|f| f.channel = Some(Channel::Email)).takes(&line));
        assert!(!filter(|f| f.mode = Some(Mode::Test)).takes(&line));
        assert!(!filter(|f| f.org_id = Some(OrgId::first_at(Millis(2)))).takes(&line));
    }

    #[test]
    fn an_event_is_one_data_line_and_its_id_says_from_where_to_go_on() {
        let line = line("message.failed");
        let event = event_of(&line).unwrap();
        let text = std::str::from_utf8(&event).unwrap();
        assert!(text.starts_with(&format!("id: 5.{}\ndata: {{", line.id)) && text.ends_with("}\n\n"), "{text}");
        assert_eq!(text.matches('\n').count(), 3);
        assert_eq!(seen_of(&format!("5.{}", line.id)), Some((Millis(5), line.id.as_str())));
        assert_eq!(seen_of("nonsense"), None);
    }

    #[test]
    fn places_are_few_and_a_tail_that_takes_nothing_loses_its_own() {
        let hub = Arc::new(Hub {
            told: broadcast::channel(WAITING).0,
            ended: watch::channel(false).0,
            tails: Mutex::default(),
        });
        let now = Instant::now();
        let mut places: Vec<_> = (0..MOST).map(|_| hub.enter(now).unwrap()).collect();
        assert_eq!(hub.enter(now).err().unwrap().code(), Code::Overloaded);
        places.pop();
        places.push(hub.enter(now).unwrap());
        let fresh = hub.enter(now + STALLED).unwrap();
        assert!(fresh.holds() && !places[0].holds());
        drop((places, fresh));
        assert!(hub.is_done());
    }
}
