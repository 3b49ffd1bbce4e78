//! The oracle: joins what clients were told, what the database says and what the carrier saw, and names every
//! disagreement. At any moment it may be asked for what must always hold; at rest also for what must hold then.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use postern::both;
use postern::db::Conn;
use postern::error::Result;
use postern::wallet::TEST_OPENING;
use serde_json::Value;

use super::actor::Reply;
use super::town::Town;
use super::wait::meanwhile;

/// The digits that every number of these tests begins with, as a log would show them.
pub const NUMBERS: &str = "4474001";
/// What every body of these tests holds.
pub const CANARY: &str = "48151623";

/// What clients were told.
#[derive(Default)]
pub struct Oracle {
    accepted: BTreeSet<String>,
}

/// A message as the database has it.
#[derive(Debug, QueryableByName)]
pub struct Kept {
    /// Its id.
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    kind: String,
    /// To whom.
    #[diesel(sql_type = Text)]
    pub recipient: String,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Text)]
    hold: String,
    #[diesel(sql_type = BigInt)]
    price: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

#[derive(QueryableByName)]
struct Purse {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = BigInt)]
    balance: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
}

#[derive(QueryableByName)]
struct Tried {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    message: String,
}

/// The tables of one moment.
struct Books {
    messages: Vec<Kept>,
    ledger: Vec<Line>,
    purses: Vec<Purse>,
    attempts: Vec<Tried>,
    audit_whole: bool,
    book_faults: Vec<String>,
}

impl Oracle {
    /// Notes what a client was told: the id of a send, or the ids of a bulk.
    pub fn note(&mut self, reply: &Reply) {
        if reply.status != 202 {
            return;
        }
        let one = std::iter::once(&reply.json);
        let many = reply.json["results"].as_array().into_iter().flatten();
        self.accepted.extend(one.chain(many).filter_map(|told| told["id"].as_str()).map(str::to_owned));
    }

    /// How many messages clients were told of.
    pub fn told(&self) -> usize {
        self.accepted.len()
    }

    /// What must hold at any moment: I1 (no 202 without its row), I2 (no second hand-off), I4 (money), I5 (windows),
    /// I6 (audit), I7 (no canary).
    #[track_caller]
    pub fn judge<'a>(&'a self, town: &'a Town, when: &'a str) -> impl Future<Output = Vec<Kept>> + 'a {
        let place = std::panic::Location::caller();
        async move {
            // The carrier first: an attempt's row is there before its call.
            let seen: Vec<Value> = town.acme.hand_offs().iter().map(|call| call.json()).collect();
            let books = town.write(read).await;
            let mut faults = self.unrecorded(&books);
            faults.extend(doubled(&books, &seen));
            faults.extend(unbalanced(&books));
            faults.extend(overrun(&books));
            faults.extend((!books.audit_whole).then(|| "I6 the audit chain is broken".to_owned()));
            faults.extend(spilled(town));
            assert!(faults.is_empty(), "{when}, at {place}:\n  {}", faults.join("\n  "));
            books.messages
        }
    }

    /// The same once nothing is left to do, which it waits for: I3 too.
    #[track_caller]
    pub fn judge_at_rest<'a>(&'a self, town: &'a Town) -> impl Future<Output = Vec<Kept>> + 'a {
        let place = std::panic::Location::caller();
        async move {
            meanwhile(&format!("rest, at {place}"), || async {
                let moving = town.write(|conn| Ok(read(conn)?.messages.iter().filter(|m| is_moving(m)).count())).await;
                (moving == 0).then_some(())
            })
            .await;
            let messages = self.judge(town, "at rest").await;
            let ends = ["sent", "delivered", "undelivered", "failed", "expired", "canceled", "unknown"];
            let odd: Vec<_> = messages.iter().filter(|m| !ends.contains(&m.status.as_str())).collect();
            assert!(odd.is_empty(), "I3 {odd:?}");
            messages
        }
    }

    fn unrecorded(&self, books: &Books) -> Vec<String> {
        let kept: BTreeSet<&str> = books.messages.iter().map(|message| message.id.as_str()).collect();
        let lost = self.accepted.iter().filter(|id| !kept.contains(id.as_str()));
        lost.map(|id| format!("I1 {id} was promised and is not there")).collect()
    }
}

impl Kept {
    /// Whether no code is in it.
    pub fn is_notice(&self) -> bool {
        self.kind == "transactional"
    }
}

/// How many of them stand there.
pub fn count(messages: &[Kept], status: &str) -> usize {
    messages.iter().filter(|message| message.status == status).count()
}

fn is_moving(message: &Kept) -> bool {
    ["scheduled", "queued", "sending"].contains(&message.status.as_str())
}

fn doubled(books: &Books, seen: &[Value]) -> Vec<String> {
    let message_of: BTreeMap<&str, &str> =
        books.attempts.iter().map(|tried| (tried.id.as_str(), tried.message.as_str())).collect();
    let mut faults = Vec::new();
    let mut handed: BTreeMap<&str, usize> = BTreeMap::new();
    for call in seen {
        match message_of.get(call["ref"].as_str().unwrap()) {
            Some(message) => *handed.entry(message).or_default() += 1,
            None => faults.push(format!("I2 the carrier saw {} and no attempt is written down", call["ref"])),
        }
    }
    let twice = handed.iter().filter(|(_, times)| **times > 1);
    faults.extend(twice.map(|(message, times)| format!("I2 {message} was handed over {times} times")));
    faults
}

fn unbalanced(books: &Books) -> Vec<String> {
    let mut faults: Vec<String> = books.book_faults.iter().map(|fault| format!("I4 {fault}")).collect();
    for purse in &books.purses {
        let own = |owner: &str| owner == purse.owner;
        let opening = if purse.owner.ends_with("test") { TEST_OPENING.0 } else { 0 };
        let sum: i64 = books.ledger.iter().filter(|line| own(&line.owner)).map(|line| line.amount).sum();
        if opening + sum != purse.balance {
            faults.push(format!("I4 {} has {}, its ledger says {}", purse.owner, purse.balance, opening + sum));
        }
        let held = books.messages.iter().filter(|m| own(&m.owner) && m.hold == "held").map(|m| m.price).sum::<i64>();
        if held != purse.held {
            faults.push(format!("I4 {} holds {}, its messages {held}", purse.owner, purse.held));
        }
    }
    let mut charged: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &books.ledger {
        if let Some(message) = &line.message
            && charged.insert(message, -line.amount).is_some()
        {
            faults.push(format!("I4 {message} was charged twice"));
        }
    }
    for message in &books.messages {
        let due = if message.hold == "settled" { message.price } else { 0 };
        let paid = charged.get(message.id.as_str()).copied().unwrap_or(0);
        if due != paid {
            faults.push(format!("I4 {} ({}, {}) paid {paid}", message.id, message.status, message.hold));
        }
    }
    faults
}

/// Three codes to one number in five minutes, by the server's own stamps.
fn overrun(books: &Books) -> Vec<String> {
    let mut stamps: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for message in books.messages.iter().filter(|message| message.kind == "otp") {
        stamps.entry((&message.owner, &message.recipient)).or_default().push(message.created_at);
    }
    let over = stamps.iter().filter(|(_, list)| fullest(list, 300_000) > 3);
    over.map(|((owner, to), list)| format!("I5 {owner} sent {} codes to {to} in a window", list.len())).collect()
}

fn spilled(town: &Town) -> Vec<String> {
    let log = town.log();
    let words = town.secrets().into_iter().chain([NUMBERS, CANARY]);
    let found = words.filter_map(|word| log.lines().find(|line| line.contains(word)));
    found.map(|line| format!("I7 the log says {line}")).collect()
}

/// The fullest window of `span` milliseconds there is.
pub fn fullest(stamps: &[i64], span: i64) -> usize {
    stamps.iter().map(|from| stamps.iter().filter(|at| (*from..from + span).contains(*at)).count()).max().unwrap_or(0)
}

/// When each message goes, by the server's stamps, of everything kept.
pub fn due_stamps(messages: &[Kept]) -> Vec<i64> {
    messages.iter().map(|message| message.due_at).collect()
}

/// Reads everything in one snapshot.
fn read(conn: &mut Conn) -> Result<Books> {
    if let Conn::Pg(c) = conn {
        diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(c)?;
    }
    let messages = "SELECT id, org_id || ' ' || mode AS owner, kind, recipient, status, hold, price_micros AS price,
        created_at, coalesce(scheduled_for, created_at) AS due_at FROM messages ORDER BY id";
    let ledger = "SELECT org_id || ' ' || mode AS owner, message_id AS message, amount_micros AS amount
        FROM wallet_entries WHERE account = 'wallet'";
    let purses = "SELECT org_id || ' ' || mode AS owner, balance_micros AS balance, held_micros AS held FROM wallets";
    let attempts = "SELECT id, message_id AS message FROM attempts";
    Ok(Books {
        messages: both!(conn, c => diesel::sql_query(messages).load(c))?,
        ledger: both!(conn, c => diesel::sql_query(ledger).load(c))?,
        purses: both!(conn, c => diesel::sql_query(purses).load(c))?,
        attempts: both!(conn, c => diesel::sql_query(attempts).load(c))?,
        audit_whole: postern::audit::verify(conn)?.whole,
        book_faults: postern::wallet::check_books_within(conn)?.faults,
    })
}
