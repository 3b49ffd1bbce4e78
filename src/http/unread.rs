//! Keeps hold of a body that nobody read to its end until the answer is out.
//!
//! actix-http (3.20) drains a chunked body whose reader has gone, however long that takes, so that an endless one
//! would keep its connection for good: a refusal at the door included. While the reader still exists, it closes the
//! connection after the answer instead.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};

/// Most that is read of a body nobody wants, to keep its connection.
const DRAIN_BYTES: usize = 64 * 1024;

/// Longest time spent on that.
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// The body of a request on its way in, shared between its reader and the frame.
#[derive(Clone)]
pub(super) struct Incoming(Rc<Shared>);

struct Shared {
    payload: RefCell<Payload>,
    ended: Cell<bool>,
}

impl Incoming {
    /// Puts a hold on the body of `req`; `None` where it has none.
    pub(super) fn of(req: &mut ServiceRequest) -> Option<Self> {
        let payload = req.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let incoming = Incoming(Rc::new(Shared { payload: RefCell::new(payload), ended: Cell::new(false) }));
        req.set_payload(Payload::Stream { payload: Box::pin(incoming.clone()) });
        Some(incoming)
    }

    /// Reads away what is left of a small body, so that a client refused at the door keeps its connection.
    pub(super) async fn drain(&self) {
        let mut rest = self.clone();
        let all = async {
            let mut budget = DRAIN_BYTES;
            while let Some(Ok(piece)) = rest.next().await {
                let Some(left) = budget.checked_sub(piece.len()) else { return };
                budget = left;
            }
        };
        if !self.0.ended.get() {
            // Out of time, the connection closes after the answer.
            let _ = tokio::time::timeout(DRAIN_TIME, all).await;
        }
    }

    /// `body`, holding the incoming one where that was not read to its end.
    pub(super) fn held_by(&self, body: BoxBody) -> BoxBody {
        match self.0.ended.get() {
            true => body,
            false => BoxBody::new(Holding { body, _incoming: self.clone() }),
        }
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(context);
        self.0.ended.set(matches!(polled, Poll::Ready(None | Some(Err(_)))));
        polled
    }
}

struct Holding {
    body: BoxBody,
    _incoming: Incoming,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
