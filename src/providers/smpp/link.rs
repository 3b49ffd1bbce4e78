//! The binds of a carrier: kept up, made again after a wait when they end, and shown to those who send.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusmpp::Pdu;
use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter};
use rusmpp::values::InterfaceVersion;
use tokio::io::BufReader;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::Patience;
use super::deliveries::Deliveries;
use super::ids::Ids;
use super::session::{Session, bind, lock, unbind};
use super::submit::c_string;
use super::tls::Dial;
use crate::config::{SmppCarrier, SmppVersion};
use crate::error::{Error, Result};
use crate::secret::random_u64;

/// The first wait after a bind ended, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A bind that held this long was a good one: the waits begin anew.
const GOOD: Duration = Duration::from_secs(30);

/// What a connection is bound as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Both ways.
    Transceiver,
    /// Messages out.
    Transmitter,
    /// Receipts and messages in.
    Receiver,
}

/// The connections of a carrier.
pub struct Links {
    name: String,
    dial: Dial,
    patience: Patience,
    enquire_every: Duration,
    window: u32,
    binds: [Pdu; 3],
    sending: Mutex<Vec<Arc<Session>>>,
    turn: AtomicUsize,
    /// Connections bound, of either direction.
    bound: AtomicUsize,
    /// Connections that are being made.
    under_way: AtomicUsize,
    changed: Notify,
    /// The ids of what was sent.
    pub ids: Arc<Mutex<Ids>>,
}

impl Links {
    /// Links by `keys`, none made yet. Errors: TLS cannot be set up, or a bind cannot be written.
    pub fn new(name: String, keys: &SmppCarrier, patience: Patience) -> Result<Links> {
        let binds = binds(keys).ok_or_else(|| Error::internal("the bind's fields do not fit SMPP"))?;
        Ok(Links {
            name,
            dial: Dial::new(keys)?,
            patience,
            enquire_every: keys.enquire_every,
            window: keys.window,
            binds,
            sending: Mutex::default(),
            turn: AtomicUsize::new(0),
            bound: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            changed: Notify::new(),
            ids: Arc::new(Mutex::new(Ids::new(keys.id_form))),
        })
    }

    /// A session to send by, in turn those with room first. Where there is none and one is being made, it is waited
    /// for until `deadline`.
    pub async fn session(&self, deadline: Instant) -> Option<Arc<Session>> {
        loop {
            let changed = self.changed.notified();
            if let Some(session) = self.pick() {
                return Some(session);
            }
            if self.under_way.load(Ordering::Acquire) == 0 || timeout_at(deadline, changed).await.is_err() {
                return self.pick();
            }
        }
    }

    fn pick(&self) -> Option<Arc<Session>> {
        let all = lock(&self.sending);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let order = || (0..all.len()).filter_map(|step| all.get(turn.wrapping_add(step) % all.len()));
        order().find(|session| session.window.available_permits() > 0).or_else(|| order().next()).cloned()
    }

    /// Connections bound.
    pub fn bound(&self) -> usize {
        self.bound.load(Ordering::Acquire)
    }

    /// Keeps one connection until `stop`.
    pub async fn keep(&self, role: Role, deliveries: Deliveries, stop: watch::Receiver<bool>) {
        let mut failures = 0;
        loop {
            let since = Instant::now();
            let ended = self.live(role, &deliveries, stop.clone()).await;
            if *stop.borrow() || stop.has_changed().is_err() {
                return;
            }
            failures = if since.elapsed() >= GOOD { 1 } else { failures + 1 };
            let wait = wait_after(failures, random_u64());
            let cause = ended.map_or_else(|error| error.to_string(), |()| String::from("the carrier ended it"));
            tracing::warn!(carrier = %self.name, cause, wait_ms = wait.as_millis(), "an SMPP link is down");
            if timeout(wait, stopped(stop.clone())).await.is_ok() {
                return;
            }
        }
    }

    /// One connection from its first octet to its last.
    async fn live(&self, role: Role, deliveries: &Deliveries, stop: watch::Receiver<bool>) -> io::Result<()> {
        let stream = {
            let _under_way = Counted::new(&self.under_way, &self.changed);
            tokio::select! {
                stream = self.bind(role) => stream?,
                () = stopped(stop.clone()) => return Ok(()),
            }
        };
        let (session, ends, incoming) = Session::new(self.window, self.ids.clone());
        let _bound = Bound::new(self, role, &session);
        tracing::info!(carrier = %self.name, ?role, "an SMPP link is bound");
        let times = (self.enquire_every, self.patience.total);
        tokio::select! {
            ended = session.run(stream, ends, times, self.left(&session, stop)) => ended,
            () = deliveries.clone().run(session.clone(), incoming) => Ok(()),
        }
    }

    async fn bind(&self, role: Role) -> io::Result<BufReader<Box<dyn super::tls::Stream>>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
        let stream = timeout(self.patience.connect, self.dial.connect()).await.map_err(late)??;
        let mut stream = BufReader::new(stream);
        let [transceiver, transmitter, receiver] = &self.binds;
        let pdu = match role {
            Role::Transceiver => transceiver,
            Role::Transmitter => transmitter,
            Role::Receiver => receiver,
        };
        bind(&mut stream, pdu.clone(), self.patience.total).await?;
        Ok(stream)
    }

    /// Binds once and leaves again; nothing is submitted. Errors: as of a bind.
    pub async fn try_bind(&self, role: Role) -> io::Result<()> {
        let stream = self.bind(role).await?;
        unbind(stream).await;
        Ok(())
    }

    /// Ends when it is time to leave; by then nobody picks the session any more.
    async fn left(&self, session: &Arc<Session>, stop: watch::Receiver<bool>) {
        stopped(stop).await;
        self.withdraw(session);
    }

    fn withdraw(&self, session: &Arc<Session>) {
        lock(&self.sending).retain(|other| !Arc::ptr_eq(other, session));
    }

    fn show(&self) {
        let bound = u32::try_from(self.bound()).unwrap_or(u32::MAX);
        metrics::gauge!("postern_smpp_bound", "carrier" => self.name.clone()).set(f64::from(bound));
        self.changed.notify_waiters();
    }
}

/// Counts a bound connection for as long as it lives, and lets it be picked where it may send.
struct Bound<'a> {
    links: &'a Links,
    session: Arc<Session>,
}

impl<'a> Bound<'a> {
    fn new(links: &'a Links, role: Role, session: &Arc<Session>) -> Bound<'a> {
        links.bound.fetch_add(1, Ordering::AcqRel);
        if role != Role::Receiver {
            lock(&links.sending).push(session.clone());
        }
        links.show();
        Bound { links, session: session.clone() }
    }
}

impl Drop for Bound<'_> {
    fn drop(&mut self) {
        self.links.withdraw(&self.session);
        self.links.bound.fetch_sub(1, Ordering::AcqRel);
        self.links.show();
    }
}

/// Counts what is under way while it lives.
struct Counted<'a>(&'a AtomicUsize, &'a Notify);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize, changed: &'a Notify) -> Counted<'a> {
        count.fetch_add(1, Ordering::AcqRel);
        Counted(count, changed)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
        self.1.notify_waiters();
    }
}

/// Ends when `stop` says true, or can say nothing any more.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The wait after the `failures`-th failure in a row (from 1): between half and all of 0.5 s, 1 s, 2 s … 30 s, so that
/// those who lost one carrier do not come back together. `dice` is any random number.
fn wait_after(failures: u32, dice: u64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST);
    let half_ms = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms + dice % half_ms.max(1))
}

/// The bind of each role.
fn binds(keys: &SmppCarrier) -> Option<[Pdu; 3]> {
    let (id, word, kind) = (keys.system_id.as_str(), keys.password.expose().as_str(), keys.system_type.as_str());
    let version = match keys.version {
        SmppVersion::V34 => InterfaceVersion::Smpp3_4,
        SmppVersion::V50 => InterfaceVersion::Smpp5_0,
    };
    macro_rules! bind {
        ($bind:ident) => {
            $bind::builder()
                .system_id(c_string(id)?)
                .password(c_string(word)?)
                .system_type(c_string(kind)?)
                .interface_version(version)
                .build()
                .into()
        };
    }
    Some([bind!(BindTransceiver), bind!(BindTransmitter), bind!(BindReceiver)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_never_leave_their_half() {
        for (failures, full_ms) in [(1, 500), (2, 1_000), (4, 4_000), (7, 30_000), (4_000_000_000, 30_000)] {
            for dice in [0, 1, 499, 1_000_003, u64::MAX] {
                let wait = u64::try_from(wait_after(failures, dice).as_millis()).unwrap();
                assert!((full_ms / 2..=full_ms).contains(&wait), "{failures} {dice}: {wait}");
            }
        }
    }
}
