//! The keys of a batch: claimed before anything is decided, shared by twins, kept with the answer or given back.

use std::collections::HashMap;
use std::sync::Arc;

use super::accept::{Accept, Accepted, ItemOutcome, Render, message_at};
use super::state::Status;
use super::store::{self, Row};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::idempotency::{self, Begun, Claim, Keeping, Opening, Stored};
use crate::terms::Mode;

/// Where each request of a batch stands.
pub struct Counter {
    places: Vec<Place>,
    /// By request: where its message will be found, if its key's row says so.
    resources: Vec<Option<String>>,
}

enum Place {
    /// To be decided.
    Fresh,
    /// The same key as an earlier request of this batch, whose outcome it shares.
    Twin(usize),
    /// Ended before it was decided: a replay, a conflict.
    Turned(Result<Accepted>),
    /// Decided.
    Done(Result<Accepted>),
}

impl Counter {
    /// Claims the batch's keys.
    pub fn open(conn: &mut Conn, batch: &[&Accept], keeping: Keeping) -> Result<Counter> {
        let resources: Vec<Option<String>> =
            batch.iter().map(|accept| accept.claim.as_ref().and_then(|_| accept.place())).collect();
        let (mut places, claimed) = twins(batch);
        let openings: Vec<Opening<'_>> =
            claimed.iter().filter_map(|index| opening(batch, &resources, *index)).collect();
        let begun = if openings.is_empty() { Vec::new() } else { idempotency::begin(conn, &openings, keeping)? };
        for (index, begun) in claimed.iter().zip(begun) {
            let turned = match (begun, batch.get(*index)) {
                (Ok(Begun::Replay(stored)), Some(accept)) => {
                    Ok(Accepted::again(rendered_again(conn, accept.render, stored)?))
                }
                (Ok(_), _) => continue,
                (Err(fault), _) => Err(fault),
            };
            if let Some(place) = places.get_mut(*index) {
                *place = Place::Turned(turned);
            }
        }
        Ok(Counter { places, resources })
    }

    /// Whether the request is to be decided.
    pub fn is_fresh(&self, index: usize) -> bool {
        matches!(self.places.get(index), Some(Place::Fresh))
    }

    /// The requests that are to be decided.
    pub fn fresh<'a>(&self, batch: &[&'a Accept]) -> Vec<&'a Accept> {
        batch.iter().enumerate().filter(|(index, _)| self.is_fresh(*index)).map(|(_, accept)| *accept).collect()
    }

    /// Notes what was decided.
    pub fn settle(&mut self, index: usize, done: Result<Accepted>) {
        if let Some(place) = self.places.get_mut(index) {
            *place = Place::Done(done);
        }
    }

    /// Keeps the answers that took effect, gives back the keys of those that did not, and answers all.
    pub fn close(self, conn: &mut Conn, batch: &[&Accept], keeping: Keeping) -> Result<Vec<Result<Accepted>>> {
        let mut kept: Vec<(Opening<'_>, Option<&Stored>)> = Vec::new();
        let mut refused: Vec<&Claim> = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            match (opening(batch, &self.resources, index), place) {
                (Some(opening), Place::Done(Ok(done))) => kept.push((opening, done.kept.as_ref())),
                (Some(opening), Place::Done(Err(_))) => refused.push(opening.claim),
                _ => {}
            }
        }
        idempotency::finish(conn, &kept, keeping)?;
        idempotency::release(conn, &refused)?;
        let shared: Vec<Option<Result<Accepted>>> = self.places.iter().map(|place| self.shared(place)).collect();
        Ok(self
            .places
            .into_iter()
            .zip(shared)
            .map(|(place, shared)| match (place, shared) {
                (Place::Done(done) | Place::Turned(done), _) => done,
                (_, Some(shared)) => shared,
                (_, None) => Err(Error::internal("an item of the batch was not decided")),
            })
            .collect())
    }

    fn shared(&self, place: &Place) -> Option<Result<Accepted>> {
        let Place::Twin(first) = place else { return None };
        match self.places.get(*first)? {
            Place::Done(Ok(done)) | Place::Turned(Ok(done)) => Some(Ok(done.shared())),
            Place::Done(Err(fault)) | Place::Turned(Err(fault)) => Some(Err(fault.clone())),
            _ => None,
        }
    }
}

/// Which requests claim a key, and which share the key of an earlier one.
fn twins(batch: &[&Accept]) -> (Vec<Place>, Vec<usize>) {
    let mut firsts: HashMap<(&str, Mode, [u8; 32]), (usize, &Claim)> = HashMap::with_capacity(batch.len());
    let mut claimed = Vec::with_capacity(batch.len());
    let mut places = Vec::with_capacity(batch.len());
    for (index, accept) in batch.iter().enumerate() {
        let Some(claim) = &accept.claim else {
            places.push(Place::Fresh);
            continue;
        };
        let key = (claim.owner.as_str(), claim.mode, claim.key_hash);
        places.push(match firsts.get(&key) {
            Some((first, other)) if other.fingerprint == claim.fingerprint => Place::Twin(*first),
            Some(_) => Place::Turned(Err(Error::new(Code::IdempotencyMismatch))),
            None => {
                firsts.insert(key, (index, claim));
                claimed.push(index);
                Place::Fresh
            }
        });
    }
    (places, claimed)
}

fn opening<'a>(batch: &[&'a Accept], resources: &'a [Option<String>], index: usize) -> Option<Opening<'a>> {
    let claim = batch.get(index)?.claim.as_ref()?;
    Some(Opening { claim, place: resources.get(index)?.as_deref() })
}

/// An answer that is given again: as it was kept, or rendered from its message as that was when it was accepted.
pub fn rendered_again(conn: &mut Conn, render: Render, stored: Stored) -> Result<Stored> {
    let Some(id) = stored.to_render().and_then(message_at) else { return Ok(stored) };
    let row = store::find_message(conn, id)?.ok_or_else(|| Error::internal("a key outlives its message"))?;
    Ok(render(None, &[ItemOutcome::plain(Ok(Arc::new(as_accepted(row))))]))
}

/// A message as it was in the moment of its acceptance.
fn as_accepted(row: Row) -> Row {
    let status = if row.scheduled_for.is_some() { Status::Scheduled } else { Status::Queued };
    Row { status, error_code: None, updated_at: row.created_at, ..row }
}
