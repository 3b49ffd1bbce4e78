//! A message centre that costs little: it lets everybody in, answers each submit_sm after a delay, and sends its receipt
//! right behind. Plain PDUs of SMPP 3.4 (sections 3.2 and 4), as few as that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::carrier::{Books, index_of};

const SUBMIT: u32 = 0x04;
const DELIVER: u32 = 0x05;
const UNBIND: u32 = 0x06;
const ENQUIRE: u32 = 0x15;
const BINDS: [u32; 3] = [0x01, 0x02, 0x09];
const RESPONSE: u32 = 0x8000_0000;
/// Octets in front of each body: length, command, status, sequence.
const HEADER: usize = 16;
/// Most octets of a PDU; longer ones end the connection.
const LONGEST: usize = 4096;

/// A centre.
pub struct Centre {
    /// Where it listens on the loopback.
    pub port: u16,
    heeded: Arc<AtomicU64>,
}

impl Centre {
    /// Receipts that were answered without a fault.
    pub fn receipts(&self) -> u64 {
        self.heeded.load(Ordering::Relaxed)
    }
}

/// Starts a centre on a thread of its own, which ends with the process.
pub fn start(books: Arc<Books>, delay: Duration) -> std::io::Result<Centre> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let heeded = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counted = heeded.clone();
    std::thread::spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, books.clone(), counted.clone(), delay));
            }
        });
    });
    Ok(Centre { port, heeded })
}

async fn serve(stream: TcpStream, books: Arc<Books>, heeded: Arc<AtomicU64>, delay: Duration) {
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let (out, outgoing) = mpsc::unbounded_channel();
    tokio::spawn(write(writer, outgoing));
    read(reader, &books, &heeded, (&out, delay)).await;
}

/// Writes what is there in one go.
async fn write(mut writer: OwnedWriteHalf, mut outgoing: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut pdus = Vec::new();
    while outgoing.recv_many(&mut pdus, 256).await > 0 {
        if writer.write_all(&pdus.concat()).await.is_err() {
            return;
        }
        pdus.clear();
    }
}

async fn read(
    mut reader: OwnedReadHalf,
    books: &Arc<Books>,
    heeded: &AtomicU64,
    (out, delay): (&mpsc::UnboundedSender<Vec<u8>>, Duration),
) {
    let sequence = Arc::new(AtomicU32::new(1));
    let mut buffer = Vec::with_capacity(64 * 1024);
    loop {
        let mut at = 0;
        while let Some(length) = number(&buffer, at).and_then(|length| usize::try_from(length).ok()) {
            if !(HEADER..=LONGEST).contains(&length) {
                return;
            }
            let Some(pdu) = buffer.get(at..at + length) else { break };
            take(pdu, books, heeded, (out, &sequence, delay));
            at += length;
        }
        buffer.drain(..at);
        if !matches!(reader.read_buf(&mut buffer).await, Ok(read) if read > 0) {
            return;
        }
    }
}

fn take(
    pdu: &[u8],
    books: &Arc<Books>,
    heeded: &AtomicU64,
    (out, sequence, delay): (&mpsc::UnboundedSender<Vec<u8>>, &Arc<AtomicU32>, Duration),
) {
    let (Some(command), Some(status), Some(own)) = (number(pdu, 4), number(pdu, 8), number(pdu, 12)) else { return };
    match command {
        SUBMIT => {
            let Some(to) = destination(pdu) else { return };
            let Some(index) = index_of(&to) else { return };
            let id = format!("{:010}", books.note_handed(index, ""));
            let answer = whole(SUBMIT | RESPONSE, own, &text(&id));
            let receipt = whole(DELIVER, sequence.fetch_add(1, Ordering::Relaxed), &receipt(&to, &id));
            let out = out.clone();
            tokio::spawn(async move {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                // A connection that has ended wants neither.
                let _ = out.send(answer);
                let _ = out.send(receipt);
            });
        }
        command if command == DELIVER | RESPONSE => {
            heeded.fetch_add(u64::from(status == 0), Ordering::Relaxed);
        }
        ENQUIRE | UNBIND => drop(out.send(whole(command | RESPONSE, own, &[]))),
        command if BINDS.contains(&command) => drop(out.send(whole(command | RESPONSE, own, &text("load")))),
        _ => {}
    }
}

/// Where a submit_sm goes: behind the service type and the source.
fn destination(pdu: &[u8]) -> Option<String> {
    let mut rest = pdu.get(HEADER..)?;
    let _service = word(&mut rest)?;
    rest = rest.get(2..)?;
    let _source = word(&mut rest)?;
    rest = rest.get(2..)?;
    word(&mut rest)
}

/// A text up to its zero.
fn word(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|octet| *octet == 0)?;
    let word = String::from_utf8_lossy(rest.get(..end)?).into_owned();
    *rest = rest.get(end + 1..)?;
    Some(word)
}

fn text(word: &str) -> Vec<u8> {
    [word.as_bytes(), &[0]].concat()
}

/// The body of a receipt: delivered, told by text and by parameters (receipted_message_id, message_state).
fn receipt(from: &str, id: &str) -> Vec<u8> {
    let said =
        format!("id:{id} sub:001 dlvrd:001 submit date:2611260000 done date:2611260000 stat:DELIVRD err:000 text:");
    let short = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    let mut body = vec![0, 1, 1];
    body.extend(text(from));
    body.extend([5, 0]);
    body.extend(text("LOAD"));
    // esm_class 4: a receipt; then nothing special, up to the length of the text.
    body.extend([4, 0, 0, 0, 0, 0, 0, 0, 0, short(said.len())]);
    body.extend(said.as_bytes());
    body.extend([0x00, 0x1E, 0x00, short(id.len() + 1)]);
    body.extend(text(id));
    body.extend([0x04, 0x27, 0x00, 0x01, 2]);
    body
}

fn whole(command: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let head = [length, command, 0, sequence].map(u32::to_be_bytes).concat();
    [head.as_slice(), body].concat()
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}
