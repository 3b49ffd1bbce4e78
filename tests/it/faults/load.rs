//! A light load at a steady rate, whatever the server does with it, and everything that came back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Ask;
use crate::harness::actor::{Actor, Reply};
use crate::harness::oracle::Oracle;
use crate::harness::wait::pause;
use postern::error::Code;

/// One request and what came of it.
pub struct Shot {
    pub ask: Ask,
    pub at: Instant,
    pub took: Duration,
    /// `None` where no answer came.
    pub reply: Option<Reply>,
}

/// A load that runs until it is stopped.
pub struct Load {
    stop: Rc<Cell<bool>>,
    shots: Rc<RefCell<Vec<Shot>>>,
    firing: actix_web::rt::task::JoinHandle<()>,
}

impl Load {
    /// Fires one request `every` so often, each on its own, at whichever server `caller` names by then.
    pub fn start(caller: Rc<RefCell<Actor>>, every: Duration, mut next: impl FnMut(usize) -> Ask + 'static) -> Load {
        let (stop, shots) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(Vec::new())));
        let (stopping, written) = (stop.clone(), shots.clone());
        let firing = actix_web::rt::spawn(async move {
            let mut under_way = Vec::new();
            for n in 0.. {
                if stopping.get() {
                    break;
                }
                let (ask, caller, shots) = (next(n), caller.borrow().clone(), written.clone());
                under_way.push(actix_web::rt::spawn(async move {
                    let at = Instant::now();
                    let reply = ask.once(&caller).await;
                    shots.borrow_mut().push(Shot { ask, at, took: at.elapsed(), reply });
                }));
                pause(every).await;
            }
            for one in under_way {
                one.await.unwrap();
            }
        });
        Load { stop, shots, firing }
    }

    /// How many sends that were fired after `from` have been answered well.
    pub fn served_since(&self, from: Instant) -> usize {
        self.shots.borrow().iter().filter(|shot| shot.is_sent_since(from)).count()
    }

    /// Stops firing, waits for what is under way, and gives back all of it.
    pub async fn stop(self) -> Vec<Shot> {
        self.stop.set(true);
        self.firing.await.unwrap();
        self.shots.take()
    }
}

impl Shot {
    /// Whether it was answered by what it asked for.
    pub fn is_served(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| (200..300).contains(&reply.status))
    }

    fn is_sent_since(&self, from: Instant) -> bool {
        self.at >= from && self.ask.method == "POST" && self.is_served()
    }
}

/// The load as a client's log: each answer is good or an honest 503, soon, and says nothing of the database.
pub fn answers_are_honest(shots: &[Shot], within: Duration) {
    for shot in shots {
        let Some(reply) = &shot.reply else { panic!("{} got no answer", shot.ask.key) };
        assert!(shot.took < within, "{} was answered {} after {:?}", shot.ask.key, reply.status, shot.took);
        if !shot.is_served() {
            assert_eq!(reply.status, 503, "{}", reply.text);
            assert!(reply.header("retry-after").is_some(), "{}", reply.text);
            let known = [Code::Overloaded, Code::StorageFull, Code::ProviderUnavailable].map(Code::as_str);
            assert!(reply.json["code"].as_str().is_some_and(|code| known.contains(&code)), "{}", reply.text);
            for word in ["SELECT", "INSERT", "relation", "locked", "server closed", "libpq", "disk"] {
                assert!(!reply.text.contains(word), "{}", reply.text);
            }
        }
    }
}

/// How long after `from` the first send was served that was fired after it.
pub fn first_served(shots: &[Shot], from: Instant) -> Duration {
    let served = shots.iter().filter(|shot| shot.is_sent_since(from));
    served.map(|shot| shot.at + shot.took - from).min().expect("nothing was served afterwards")
}

/// Every message that was asked for is sent in the end, and each key is one message.
pub async fn repeat_what_failed(shots: &[Shot], caller: &Actor, oracle: &mut Oracle) {
    for shot in shots.iter().filter(|shot| shot.ask.method == "POST") {
        match &shot.reply {
            Some(reply) if shot.is_served() => oracle.note(reply),
            _ => drop(shot.ask.until_accepted(caller, oracle).await),
        }
    }
}

/// The quantile `q` of how long the served took.
pub fn quantile(shots: &[Shot], q: f64) -> Duration {
    let mut times: Vec<_> = shots.iter().filter(|shot| shot.is_served()).map(|shot| shot.took).collect();
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q) as usize]
}
