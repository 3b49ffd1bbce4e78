//! Frames of SMPP: sixteen octets of header, then the body.

use std::io;

use rusmpp::encode::{Encode, Length};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt};

const HEADER: usize = 16;
/// Longest frame that is read: a message_payload of 64 KiB and what stands around it.
const LONGEST: usize = 68 * 1024;

/// A frame as it came in. Its body is read later and tolerantly: carriers leave out what the standard demands.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub id: CommandId,
    /// command_status.
    pub status: u32,
    /// By which an answer finds its request.
    pub sequence: u32,
    /// The rest.
    pub body: Vec<u8>,
}

/// Reads the next frame. Errors: the stream's, and `InvalidData` for a length that no frame has: then the place where
/// the next one starts is lost too.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
    if !(HEADER..=LONGEST).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of an impossible length"));
    }
    let id = CommandId::from(stream.read_u32().await?);
    let (status, sequence) = (stream.read_u32().await?, stream.read_u32().await?);
    let mut body = vec![0; length - HEADER];
    stream.read_exact(&mut body).await?;
    Ok(Frame { id, status, sequence, body })
}

/// The octets of a request or an answer.
pub fn octets(status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> Vec<u8> {
    let command = Command::new(status, sequence, pdu);
    let length = command.length() + 4;
    let mut out = vec![0; length];
    let (head, rest) = out.split_at_mut(4);
    head.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    command.encode(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_length_that_no_frame_has_is_an_error() {
        for length in [0_u32, 15, 70_000, u32::MAX] {
            let mut stream = length.to_be_bytes().to_vec();
            stream.extend([0; 64]);
            let kind = read(&mut stream.as_slice()).await.map(|_| ()).unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::InvalidData, "{length}");
        }
    }

    #[tokio::test]
    async fn a_frame_cut_short_ends_the_stream() {
        let whole = octets(CommandStatus::EsmeRok, 7, Pdu::EnquireLink);
        assert_eq!(whole, [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 7]);
        let frame = read(&mut whole.as_slice()).await.ok().unwrap();
        assert!(frame.id == CommandId::EnquireLink && frame.sequence == 7 && frame.body.is_empty());
        for end in 0..whole.len() {
            assert!(read(&mut &whole[..end]).await.is_err(), "{end}");
        }
    }
}
