//! One bound connection: requests go out within a window and meet their answers, the carrier's own requests are
//! answered at once, and what it delivers is answered when it is stored.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusmpp::pdus::DeliverSmResp;
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::deliver::text_of;
use super::frame::{self, Frame};
use super::ids::Ids;
use super::status;

/// Deliveries that may wait to be stored; then the carrier is asked to try again.
const WAITING: usize = 256;
/// How long a good-bye is waited for.
const GOODBYE: Duration = Duration::from_secs(2);

/// The answer to a request.
pub struct Answer {
    /// command_status.
    pub status: u32,
    /// The message's id, in the form that is kept.
    pub message_id: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request did not go out.
    NotSent,
    /// The connection ended first.
    Lost,
    /// None came in time.
    Silent,
}

/// A request that waits for its answer.
struct Waiting {
    /// The recipient of a message; nothing for other requests.
    to: Option<String>,
    answer: oneshot::Sender<Answer>,
}

/// A bound connection, as those who send by it see it.
pub struct Session {
    out: mpsc::Sender<Vec<u8>>,
    /// `None` once the connection has ended: nothing goes out any more.
    waiting: Mutex<Option<BTreeMap<u32, Waiting>>>,
    answered: Notify,
    sequence: AtomicU32,
    leaving: AtomicBool,
    ids: Arc<Mutex<Ids>>,
    /// Requests that may be unanswered.
    pub window: Semaphore,
}

/// What the connection's own work needs.
pub struct Ends {
    out: mpsc::Receiver<Vec<u8>>,
    incoming: mpsc::Sender<Frame>,
}

impl Session {
    /// A session with a window of `window`; its ends, and where deliveries come out.
    pub fn new(window: u32, ids: Arc<Mutex<Ids>>) -> (Arc<Session>, Ends, mpsc::Receiver<Frame>) {
        let window = usize::try_from(window).unwrap_or(1);
        let (sender, out) = mpsc::channel(window + 16);
        let (incoming, deliveries) = mpsc::channel(WAITING);
        let session = Session {
            out: sender,
            waiting: Mutex::new(Some(BTreeMap::new())),
            answered: Notify::new(),
            sequence: AtomicU32::new(2), // 1 was the bind
            leaving: AtomicBool::new(false),
            ids,
            window: Semaphore::new(window),
        };
        (Arc::new(session), Ends { out, incoming }, deliveries)
    }

    /// Sends a message to `to` and waits for the answer until `deadline`.
    pub async fn submit(&self, pdu: Pdu, to: &str, deadline: Instant) -> Result<Answer, Failure> {
        if self.leaving.load(Ordering::Acquire) {
            return Err(Failure::NotSent);
        }
        self.request(pdu, Some(String::from(to)), deadline).await
    }

    async fn request(&self, pdu: Pdu, to: Option<String>, deadline: Instant) -> Result<Answer, Failure> {
        // Sequence numbers are 1 to 0x7FFFFFFF (SMPP 3.4, section 5.1.4).
        let sequence = (self.sequence.fetch_add(1, Ordering::Relaxed) & 0x7FFF_FFFF).max(1);
        let (answer, coming) = oneshot::channel();
        match self.waiting().as_mut() {
            Some(waiting) => waiting.insert(sequence, Waiting { to, answer }),
            None => return Err(Failure::NotSent),
        };
        let forget = Forget { session: self, sequence };
        let octets = frame::octets(CommandStatus::EsmeRok, sequence, pdu);
        match timeout_at(deadline, self.out.send(octets)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(Failure::NotSent),
        }
        let answer = timeout_at(deadline, coming).await;
        drop(forget);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Failure::Lost),
            Err(_) => Err(Failure::Silent),
        }
    }

    /// Queues the answer to one of the carrier's requests.
    pub async fn reply(&self, status: CommandStatus, sequence: u32, pdu: Pdu) {
        // Where the connection has ended, the carrier asks again over the next one.
        let _ = self.out.send(frame::octets(status, sequence, pdu)).await;
    }

    /// Does the connection's work until it ends, or until `stop` comes: then what is unanswered is waited for, and the
    /// carrier is told good-bye. Errors: why it ended.
    pub async fn run(
        &self,
        stream: impl AsyncRead + AsyncWrite,
        ends: Ends,
        (enquire_every, patience): (Duration, Duration),
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let (mut reader, writer) = tokio::io::split(stream);
        let Ends { out, incoming } = ends;
        let reading = async {
            while self.heard(frame::read(&mut reader).await?, &incoming).await {}
            // The carrier has said good-bye: what it still answers counts, until it hangs up.
            let rest = async {
                while self.heard(frame::read(&mut reader).await?, &incoming).await {}
                io::Result::Ok(())
            };
            timeout(GOODBYE, rest).await.unwrap_or(Ok(()))
        };
        let asking = async {
            loop {
                tokio::time::sleep(enquire_every).await;
                if self.request(Pdu::EnquireLink, None, Instant::now() + patience).await.is_err() {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to enquire_link"));
                }
            }
        };
        let leaving = async {
            stop.await;
            self.leave(patience).await;
            Ok(())
        };
        let ended = tokio::select! {
            ended = reading => ended,
            ended = write(writer, out) => ended,
            ended = asking => ended,
            ended = leaving => ended,
        };
        *self.waiting() = None;
        ended
    }

    async fn leave(&self, patience: Duration) {
        self.leaving.store(true, Ordering::Release);
        let deadline = Instant::now() + patience;
        while self.unanswered() > 0 && timeout_at(deadline, self.answered.notified()).await.is_ok() {}
        // It may have left already.
        let _ = self.request(Pdu::Unbind, None, Instant::now() + GOODBYE).await;
    }

    /// Whether the connection goes on after `frame`.
    async fn heard(&self, frame: Frame, incoming: &mpsc::Sender<Frame>) -> bool {
        let sequence = frame.sequence;
        match frame.id {
            CommandId::EnquireLink => self.reply(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp).await,
            CommandId::DeliverSm | CommandId::DataSm => {
                if let Err(fault) = incoming.try_send(frame) {
                    let pdu = answer_of(fault.into_inner().id);
                    self.reply(CommandStatus::from(status::QUEUE_FULL), sequence, pdu).await;
                }
            }
            CommandId::Unbind => {
                self.leaving.store(true, Ordering::Release);
                self.reply(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp).await;
                return false;
            }
            // These have no answers.
            CommandId::AlertNotification | CommandId::Outbind => {}
            id if id.is_response() => self.answer(frame),
            _ => self.reply(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack).await,
        }
        true
    }

    /// Brings an answer, a nack too, to its request. One that nobody waits for any more is dropped.
    fn answer(&self, frame: Frame) {
        let Some(waiting) = self.waiting().as_mut().and_then(|all| all.remove(&frame.sequence)) else { return };
        let accepted = frame.status == status::OK && frame.id == CommandId::SubmitSmResp;
        let id = if accepted { text_of(&frame.body) } else { String::new() };
        // Kept here, before the next frame is read: that may be its receipt.
        let message_id = match &waiting.to {
            Some(to) if !id.is_empty() => Some(lock(&self.ids).submitted(&id, to)),
            _ => None,
        };
        // A nack without a reason is a refusal all the same.
        let nack = frame.id == CommandId::GenericNack && frame.status == status::OK;
        let status = if nack { status::SYSTEM_ERROR } else { frame.status };
        let _ = waiting.answer.send(Answer { status, message_id });
        self.answered.notify_one();
    }

    /// How many requests wait for an answer.
    fn unanswered(&self) -> usize {
        self.waiting().as_ref().map_or(0, BTreeMap::len)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<BTreeMap<u32, Waiting>>> {
        lock(&self.waiting)
    }
}

/// Takes a request off the list when nobody waits for it any more, however that came.
struct Forget<'a> {
    session: &'a Session,
    sequence: u32,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.session.waiting().as_mut() {
            waiting.remove(&self.sequence);
        }
        self.session.answered.notify_one();
    }
}

/// The answer to a delivery of this kind.
pub fn answer_of(id: CommandId) -> Pdu {
    match id {
        CommandId::DataSm => Pdu::DataSmResp(rusmpp::pdus::DataSmResp::default()),
        _ => Pdu::DeliverSmResp(DeliverSmResp::default()),
    }
}

/// The lock's content; a panic elsewhere does not spoil it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut stream: impl AsyncWrite + Unpin, mut out: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    while let Some(mut octets) = out.recv().await {
        while let Ok(more) = out.try_recv() {
            octets.extend(more);
        }
        stream.write_all(&octets).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Says good-bye over a stream that has only bound, and waits a little for the answer.
pub async fn unbind(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let leaving = async {
        stream.write_all(&frame::octets(CommandStatus::EsmeRok, 2, Pdu::Unbind)).await?;
        stream.flush().await?;
        while frame::read(&mut stream).await?.id != CommandId::UnbindResp {}
        io::Result::Ok(())
    };
    // It was let in, which is all that is asked.
    drop(timeout(GOODBYE, leaving).await);
}

/// Binds over a fresh stream. Errors: the network's, `TimedOut`, and `ConnectionRefused` with the status's name where
/// the carrier says no.
pub async fn bind(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), pdu: Pdu, patience: Duration) -> io::Result<()> {
    let bound = async {
        stream.write_all(&frame::octets(CommandStatus::EsmeRok, 1, pdu)).await?;
        stream.flush().await?;
        loop {
            let frame = frame::read(stream).await?;
            if frame.id.is_response() && frame.sequence == 1 {
                return Ok(if frame.id == CommandId::GenericNack { frame.status.max(1) } else { frame.status });
            }
        }
    };
    match timeout(patience, bound).await {
        Ok(Ok(status::OK)) => Ok(()),
        Ok(Ok(other)) => {
            let said = format!("the bind was refused: {} ({other:#x})", status::name(other));
            Err(io::Error::new(io::ErrorKind::ConnectionRefused, said))
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to the bind")),
    }
}
