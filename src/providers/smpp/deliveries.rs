//! What the carrier delivers over one connection: read, told to the rooms in order, and answered once it is stored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusmpp::{CommandId, CommandStatus};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::deliver::{self, Delivered};
use super::frame::Frame;
use super::ids::Ids;
use super::inbound::{Inbox, Key, inbound};
use super::receipt;
use super::session::{Session, answer_of, lock};
use crate::providers::{Receipt, Report, ReportDesk};
use crate::secret::random_u64;

/// Told together at most.
const TOGETHER: usize = 64;
/// How often parts that wait in vain are looked for.
const ROUND: Duration = Duration::from_secs(60);
/// ESME_RX_P_APPN: it will never be taken, do not send it again.
const NEVER: u32 = 0x65;

/// What all connections of a carrier share.
#[derive(Clone)]
pub struct Deliveries {
    /// The carrier's name.
    pub carrier: String,
    /// The ids of what was sent.
    pub ids: Arc<Mutex<Ids>>,
    /// The parts of long messages.
    pub inbox: Arc<Mutex<Inbox>>,
    /// Where reports go.
    pub desk: ReportDesk,
}

/// A delivery and what became of it.
struct Read {
    id: CommandId,
    sequence: u32,
    /// `None`: unreadable.
    kept: Option<Kept>,
}

/// What there is to store of a delivery.
enum Kept {
    /// A part that waits for others: nothing yet.
    Waits,
    /// This, and the parts it was made of.
    Report(Box<Report>, Option<Key>),
}

impl Deliveries {
    /// Works on `incoming` until the connection has ended.
    pub async fn run(self, session: Arc<Session>, mut incoming: mpsc::Receiver<Frame>) {
        // A message from a person has no id of its own: the connection and the number of the request make one.
        let connection = format!("{:016x}", random_u64());
        loop {
            let mut frames = Vec::new();
            match timeout(ROUND, incoming.recv_many(&mut frames, TOGETHER)).await {
                Ok(0) => return,
                Ok(_) => self.take(&session, &connection, frames).await,
                Err(_) => self.tell_overdue(&connection).await,
            }
        }
    }

    async fn take(&self, session: &Session, connection: &str, frames: Vec<Frame>) {
        let read: Vec<Read> = frames.iter().map(|frame| self.read(frame, connection)).collect();
        let reports: Vec<Report> = read.iter().filter_map(Read::report).collect();
        let stored = reports.is_empty() || self.desk.take(&self.carrier, reports).await;
        for one in read {
            let status = match &one.kept {
                None => CommandStatus::from(NEVER),
                Some(Kept::Waits) => CommandStatus::EsmeRok,
                Some(Kept::Report(..)) if !stored => CommandStatus::EsmeRsyserr,
                Some(Kept::Report(_, parts)) => {
                    parts.iter().for_each(|key| lock(&self.inbox).forget(key));
                    CommandStatus::EsmeRok
                }
            };
            session.reply(status, one.sequence, answer_of(one.id)).await;
        }
    }

    async fn tell_overdue(&self, connection: &str) {
        let overdue = lock(&self.inbox).overdue(Instant::now());
        for (place, (delivered, key)) in overdue.into_iter().enumerate() {
            let id = format!("{connection}-late-{place}-{:x}", random_u64());
            if self.desk.take(&self.carrier, vec![Report::Inbound(inbound(&delivered, id))]).await {
                lock(&self.inbox).forget(&key);
            }
        }
    }

    fn read(&self, frame: &Frame, connection: &str) -> Read {
        let kept = match deliver::read(frame, frame.id == CommandId::DataSm) {
            None => None,
            Some(delivered) if receipt::is_receipt(&delivered) => self.receipt(&delivered),
            Some(delivered) => Some(self.message(delivered, format!("{connection}-{}", frame.sequence))),
        };
        if kept.is_none() {
            tracing::warn!(carrier = %self.carrier, "a delivery could not be read and was refused");
        }
        Read { id: frame.id, sequence: frame.sequence, kept }
    }

    fn receipt(&self, delivered: &Delivered) -> Option<Kept> {
        let read = receipt::read(delivered)?;
        // Some centres keep the addresses of the message, with its recipient behind.
        let (provider_id, forms) = lock(&self.ids).receipted(&read.id, &[&delivered.from, &delivered.to]);
        let (state, status, error_code, forms) = (read.state, read.status, read.error_code, forms.map(Box::new));
        let receipt = Receipt { provider_id, reference: None, state, status, error_code, cause: None, forms };
        Some(Kept::Report(Box::new(Report::Receipt(receipt)), None))
    }

    fn message(&self, delivered: Delivered, id: String) -> Kept {
        match lock(&self.inbox).take(delivered, Instant::now()) {
            None => Kept::Waits,
            Some((whole, parts)) => Kept::Report(Box::new(Report::Inbound(inbound(&whole, id))), parts),
        }
    }
}

impl Read {
    fn report(&self) -> Option<Report> {
        match &self.kept {
            Some(Kept::Report(report, _)) => Some(Report::clone(report)),
            _ => None,
        }
    }
}
