//! A connection that speaks as much HTTP/1.1 as load needs: one request after the other, answers with a length. It costs
//! one write and one read a request, so that the machine is the server's.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A kept connection.
pub struct Wire {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, valid until the next request.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl Wire {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Wire> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Wire { address, stream, buffer: Vec::with_capacity(4096) })
    }

    /// Connects anew after a fault.
    pub async fn reopen(&mut self) -> Result<()> {
        *self = Wire::open(self.address).await?;
        Ok(())
    }

    /// Sends a whole request and waits for the whole answer.
    pub async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = Head::find(&self.buffer)? {
                return self.finish(head).await;
            }
        }
    }

    async fn finish(&mut self, head: Head) -> Result<Answer<'_>> {
        while self.buffer.len() < head.length + head.body {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let body = self.buffer.get(head.length..head.length + head.body).unwrap_or_default();
        Ok(Answer { status: head.status, body })
    }
}

/// What matters of the head of an answer or a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the head, the empty line included.
    pub length: usize,
    /// The status; 0 of a request.
    pub status: u16,
    /// Bytes of the body.
    pub body: usize,
}

impl Head {
    /// The head at the start of `bytes`, once it is there as a whole.
    pub fn find(bytes: &[u8]) -> Result<Option<Head>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = bytes.get(..end).unwrap_or_default();
        let status = head.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3)).map_or(0, number);
        let length = head
            .split(|byte| *byte == b'\n')
            .find_map(|line| {
                line.split_at_checked(15).filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length:"))
            })
            .map_or(0, |(_, value)| number(value));
        if head.windows(18).any(|word| word.eq_ignore_ascii_case(b"transfer-encoding:")) {
            return Err(Error::new(ErrorKind::Unsupported, "an answer in chunks"));
        }
        Ok(Some(Head { length: end + 4, status: u16::try_from(status).unwrap_or(0), body: length }))
    }
}

/// The digits among `bytes` as a number.
fn number(bytes: &[u8]) -> usize {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_found_once_it_is_whole() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\nx: 1\r\n\r\n{\"id\":\"a\"}  ";
        assert_eq!(Head::find(answer).unwrap(), Some(Head { length: 51, status: 202, body: 12 }));
        assert_eq!(Head::find(&answer[..40]).unwrap(), None);
    }
}
