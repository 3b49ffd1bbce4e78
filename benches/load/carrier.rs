//! The carrier's side: takes hand-offs on a real socket, answers after a delay, and keeps the books of who was sent what.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::requests::{FIRST_NUMBER, member};
use crate::wire::Head;

/// When each number's message was due, accepted and handed over; a number is used once.
pub struct Books {
    begin: Instant,
    due: Box<[AtomicU32]>,
    accepted: Box<[AtomicU32]>,
    handed: Box<[AtomicU32]>,
    times: Box<[AtomicU32]>,
    taken: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<String>>>,
    is_watched: AtomicBool,
}

impl Books {
    /// Books for the first `numbers` numbers.
    pub fn new(numbers: usize) -> Arc<Books> {
        let column = || std::iter::repeat_with(AtomicU32::default).take(numbers).collect();
        Arc::new(Books {
            begin: Instant::now(),
            due: column(),
            accepted: column(),
            handed: column(),
            times: column(),
            taken: AtomicU64::new(0),
            waiting: Mutex::default(),
            is_watched: AtomicBool::new(false),
        })
    }

    /// A moment as the books write it: microseconds, never 0.
    fn stamp(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.begin).as_micros()).unwrap_or(u32::MAX).max(1)
    }

    /// The message to the number `index` was due then and accepted now.
    pub fn note_accepted(&self, index: u64, due: Instant) {
        set(&self.due, index, self.stamp(due));
        set(&self.accepted, index, self.stamp(Instant::now()));
    }

    /// The number `index` is sent `text`; which hand-off this is.
    pub fn note_handed(&self, index: u64, text: &str) -> u64 {
        let serial = self.taken.fetch_add(1, Ordering::Relaxed);
        if let Some(times) = place(&self.times, index)
            && times.fetch_add(1, Ordering::Relaxed) == 0
        {
            set(&self.handed, index, self.stamp(Instant::now()));
        }
        if self.is_watched.load(Ordering::Relaxed) {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(reader) = waiting.remove(&index) {
                // A reader that gave up waiting needs no text.
                let _ = reader.send(String::from(text));
            }
        }
        serial
    }

    /// The text that will be sent to the number `index`.
    pub fn text_to(&self, index: u64) -> oneshot::Receiver<String> {
        let (reader, text) = oneshot::channel();
        self.is_watched.store(true, Ordering::Relaxed);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(index, reader);
        text
    }

    /// Hand-offs taken so far.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How often the number `index` was sent to.
    pub fn times(&self, index: u64) -> u32 {
        get(&self.times, index)
    }

    /// Whether the number `index` was accepted.
    pub fn is_accepted(&self, index: u64) -> bool {
        get(&self.accepted, index) > 0
    }

    /// From due to handed over.
    pub fn delay(&self, index: u64) -> Option<Duration> {
        let (due, handed) = (get(&self.due, index), get(&self.handed, index));
        (due > 0 && handed > 0).then(|| Duration::from_micros(u64::from(handed.saturating_sub(due))))
    }

    /// How long the message to the number `index` has waited since it was accepted; `None` where it waits no more.
    pub fn waits(&self, index: u64) -> Option<Duration> {
        let (accepted, handed) = (get(&self.accepted, index), get(&self.handed, index));
        let now = self.stamp(Instant::now());
        (accepted > 0 && handed == 0).then(|| Duration::from_micros(u64::from(now.saturating_sub(accepted))))
    }
}

fn place(column: &[AtomicU32], index: u64) -> Option<&AtomicU32> {
    column.get(usize::try_from(index).ok()?)
}

fn set(column: &[AtomicU32], index: u64, value: u32) {
    if let Some(place) = place(column, index) {
        place.store(value, Ordering::Relaxed);
    }
}

fn get(column: &[AtomicU32], index: u64) -> u32 {
    place(column, index).map_or(0, |place| place.load(Ordering::Relaxed))
}

/// Starts a carrier on a thread of its own, which ends with the process; where it listens.
pub fn start(books: Arc<Books>, delay: Duration) -> std::io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(listen(listener, books, delay)));
    Ok(address)
}

async fn listen(listener: std::net::TcpListener, books: Arc<Books>, delay: Duration) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, books.clone(), delay));
    }
}

async fn serve(mut stream: TcpStream, books: Arc<Books>, delay: Duration) {
    let mut buffer = Vec::with_capacity(4096);
    let _ = stream.set_nodelay(true);
    loop {
        let Ok(head) = Head::find(&buffer) else { return };
        let whole = head.filter(|head| buffer.len() >= head.length + head.body);
        let Some(head) = whole else {
            match stream.read_buf(&mut buffer).await {
                Ok(read) if read > 0 => continue,
                _ => return,
            }
        };
        let body = buffer.get(head.length..head.length + head.body).unwrap_or_default();
        let Some(index) = member(body, "to").and_then(index_of) else { return };
        let text = member(body, "text").unwrap_or_default();
        let serial = books.note_handed(index, text);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{{\"id\":\"load-{serial:010}\"}}"
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        buffer.drain(..head.length + head.body);
    }
}

/// Which of the numbers in use `to` is.
pub fn index_of(to: &str) -> Option<u64> {
    to.trim_start_matches('+').parse::<u64>().ok()?.checked_sub(FIRST_NUMBER)
}
