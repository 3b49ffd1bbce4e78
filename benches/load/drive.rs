//! The loops that drive: closed (each connection sends when it has its answer) and open (a request when it is due). Each
//! runs on a thread of its own, so that two kinds of traffic do not wait for each other here.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::hist::Hist;
use crate::wire::{Answer, Wire};

/// Where and how long to drive.
#[derive(Debug, Clone)]
pub struct Course {
    /// The servers; connections are spread over them.
    pub nodes: Vec<SocketAddr>,
    /// Connections.
    pub connections: usize,
    /// The measured time, from and to; what is answered outside is sent, but does not count.
    pub from: Instant,
    /// See `from`.
    pub to: Instant,
    /// Ends it early.
    pub stop: Arc<AtomicBool>,
}

/// What came back.
#[derive(Default, Clone)]
pub struct Tally {
    /// Latencies of the answers below 400.
    pub good: Hist,
    /// Latencies of the others.
    pub refused: Hist,
    /// Messages (or whatever one request brings) in the good answers.
    pub units: u64,
    /// Answers by status, those outside the measured time included.
    pub statuses: BTreeMap<u16, u64>,
    /// Messages accepted, those outside the measured time included.
    pub accepted: u64,
    /// Connections that broke.
    pub broken: u64,
    /// How late requests of an open loop were sent.
    pub late: Hist,
}

/// A kind of request.
pub trait Shot {
    /// The next request.
    fn next(&mut self, due: Instant) -> &[u8];

    /// Its answer; how many messages were accepted.
    fn answered(&mut self, answer: Answer<'_>) -> u64 {
        u64::from((200..300).contains(&answer.status))
    }
}

impl Course {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.to || self.stop.load(Ordering::Relaxed)
    }

    fn counts(&self, at: Instant) -> bool {
        at >= self.from && at < self.to
    }

    /// The node of a connection.
    pub fn node(&self, index: usize) -> std::io::Result<SocketAddr> {
        self.nodes.get(index % self.nodes.len().max(1)).copied().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

impl Tally {
    /// Counts an answer.
    pub fn note(&mut self, course: &Course, status: u16, units: u64, took: Duration, at: Instant) {
        *self.statuses.entry(status).or_default() += 1;
        self.accepted += units;
        if course.counts(at) {
            self.units += units;
            if status < 400 { self.good.add(took) } else { self.refused.add(took) }
        }
    }

    /// Takes in what another one counted.
    pub fn merge(&mut self, other: &Tally) {
        self.good.merge(&other.good);
        self.refused.merge(&other.refused);
        self.late.merge(&other.late);
        self.units += other.units;
        self.accepted += other.accepted;
        self.broken += other.broken;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
    }
}

/// A drive under way.
pub type Drive<T = Tally> = JoinHandle<anyhow::Result<T>>;

/// What a drive came to.
pub fn finish<T>(drive: Drive<T>) -> anyhow::Result<T> {
    drive.join().map_err(|_| anyhow::anyhow!("a driving thread panicked"))?
}

/// Drives a closed loop: as many requests at a time as there are connections.
pub fn closed<S: Shot + 'static>(course: Course, make: impl Fn(usize) -> S + Send + 'static) -> Drive {
    lanes(course, move |course, index| lane(course, index, make(index)), |all: &mut Tally, one| all.merge(&one))
}

/// Drives a lane a connection, each doing its `work` until the course is over.
pub fn lanes<T, F, Fut>(course: Course, work: F, merge: impl Fn(&mut T, T) + Send + 'static) -> Drive<T>
where
    T: Default + Send + 'static,
    F: Fn(Rc<Course>, usize) -> Fut + Send + 'static,
    Fut: Future<Output = anyhow::Result<T>> + 'static,
{
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let course = Rc::new(course);
            let lanes: Vec<_> =
                (0..course.connections).map(|index| tokio::task::spawn_local(work(course.clone(), index))).collect();
            let mut all = T::default();
            for lane in lanes {
                merge(&mut all, lane.await??);
            }
            Ok(all)
        })
    })
}

async fn lane<S: Shot>(course: Rc<Course>, index: usize, mut shot: S) -> anyhow::Result<Tally> {
    let mut wire = Wire::open(course.node(index)?).await?;
    let mut tally = Tally::default();
    while !course.is_over() {
        let begin = Instant::now();
        let request = shot.next(begin);
        match wire.call(request).await {
            Ok(answer) => {
                let (status, units, now) = (answer.status, shot.answered(answer), Instant::now());
                tally.note(&course, status, units, now - begin, now);
            }
            Err(_) => {
                tally.broken += 1;
                if wire.reopen().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    Ok(tally)
}

/// Drives an open loop of `rate` requests a second, from now until the course is over. A request that finds no
/// connection free gets one more: what is slow must not slow down what measures it.
pub fn open<S: Shot + 'static>(course: Course, rate: u32, make: impl Fn(usize) -> S + Send + 'static) -> Drive {
    let (pacer, mut due) = mpsc::unbounded_channel();
    let until = course.clone();
    std::thread::spawn(move || pace(&until, rate, &pacer));
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let (course, free) = (Rc::new(course), Rc::new(std::cell::RefCell::new(VecDeque::new())));
            let all = Rc::new(std::cell::RefCell::new(Tally::default()));
            for index in 0..course.connections {
                let wire = Wire::open(course.node(index)?).await?;
                free.borrow_mut().push_back((wire, make(index)));
            }
            let mut made = course.connections;
            let mut under_way = Vec::new();
            while let Some(moment) = due.recv().await {
                // The one that rested longest: a server closes those that nobody uses.
                let kept = free.borrow_mut().pop_front();
                let (wire, shot) = match kept {
                    Some(kept) => kept,
                    None => {
                        made += 1;
                        (Wire::open(course.node(made)?).await?, make(made))
                    }
                };
                let one = one(course.clone(), wire, shot, moment, free.clone(), all.clone());
                under_way.push(tokio::task::spawn_local(one));
                if under_way.len() > 4096 {
                    under_way.retain(|task| !task.is_finished());
                }
            }
            for task in under_way {
                task.await?;
            }
            Ok(all.take())
        })
    })
}

type Free<S> = Rc<std::cell::RefCell<VecDeque<(Wire, S)>>>;

async fn one<S: Shot>(
    course: Rc<Course>,
    mut wire: Wire,
    mut shot: S,
    due: Instant,
    free: Free<S>,
    all: Rc<std::cell::RefCell<Tally>>,
) {
    all.borrow_mut().late.add(due.elapsed());
    match wire.call(shot.next(due)).await {
        Ok(answer) => {
            let (status, units, now) = (answer.status, shot.answered(answer), Instant::now());
            all.borrow_mut().note(&course, status, units, now - due, now);
        }
        Err(_) => {
            all.borrow_mut().broken += 1;
            if wire.reopen().await.is_err() {
                return;
            }
        }
    }
    free.borrow_mut().push_back((wire, shot));
}

/// Says when each request is due. A thread of its own: the kernel's sleep is finer than the runtime's milliseconds.
fn pace(course: &Course, rate: u32, pacer: &mpsc::UnboundedSender<Instant>) {
    let (begin, step) = (Instant::now(), Duration::from_secs(1) / rate.max(1));
    let most = if rate == 0 { 0 } else { u32::MAX };
    for index in 0..most {
        let due = begin + step * index;
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        if course.is_over() || pacer.send(due).is_err() {
            return;
        }
    }
}
