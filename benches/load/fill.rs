//! Old rows by the million: a real message and a real verification, made through the server, are copied with other ids,
//! numbers, organizations and times. Columns are asked of the database, so that whatever a row has is copied too.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;

use crate::database::Conn;
use crate::setup::Tenant;

/// How old the oldest row is that is kept.
const SPAN: Duration = Duration::from_secs(85 * 86_400);
/// How old rows are that a sweep must drop: the default retention is 90 days.
const OVERDUE: Duration = Duration::from_secs(95 * 86_400);
/// Rows of a statement.
const CHUNK: u64 = 100_000;
/// One in so many messages is a verification's; keys and windows live a day of the 85.
const VERIFIED: u64 = 4;
const DAYS: u64 = 85;

/// Copies rows.
pub struct Filler<'a> {
    conn: Conn,
    tenant: &'a Tenant,
    now_ms: i64,
    /// How many rows there are already.
    filled: u64,
    /// The next row that is overdue; far behind the others, and never twice: the ledger outlives its messages.
    next_overdue: u64,
}

/// Which rows are made.
#[derive(Clone, Copy)]
struct Stretch {
    from: u64,
    to: u64,
    /// The time of row 0, and milliseconds from each to the next.
    first_ms: i64,
    step_ms: i64,
}

impl<'a> Filler<'a> {
    /// Fills what `conn` leads to; the tenant has a message and a verification that ended well.
    pub fn new(conn: Conn, tenant: &'a Tenant) -> Filler<'a> {
        Filler { conn, tenant, now_ms: postern::clock::Clock::System.now().0, filled: 0, next_overdue: 900_000_000 }
    }

    /// Sees to it that there are `rows` old messages with what hangs on them.
    pub async fn fill(&mut self, rows: u64) -> anyhow::Result<()> {
        self.conn.hasty()?;
        let (from, to) = (self.filled, rows);
        let step_ms = millis(SPAN) / i64::try_from(rows.max(1))?;
        let all = Stretch { from, to, first_ms: self.now_ms - millis(SPAN), step_ms };
        self.messages(all).await?;
        self.verifications(Stretch { from: from / VERIFIED, to: to / VERIFIED, step_ms: step_ms * 4, ..all }).await?;
        self.of_a_day(Stretch { from: from / DAYS, to: to / DAYS, ..all }).await?;
        self.filled = rows;
        self.conn.run("ANALYZE")
    }

    /// Takes away what still waits: what comes next would share the machine with its dispatch.
    pub fn forget_waiting(&mut self) -> anyhow::Result<()> {
        self.conn.run("DELETE FROM messages WHERE next_at IS NOT NULL")
    }

    /// Adds messages that are older than the retention.
    pub async fn overdue(&mut self, rows: u64) -> anyhow::Result<()> {
        self.conn.hasty()?;
        let from = self.next_overdue;
        self.next_overdue += rows;
        let first_ms = self.now_ms - millis(OVERDUE) - i64::try_from(from)?;
        self.messages(Stretch { from, to: from + rows, first_ms, step_ms: 1 }).await
    }

    /// Whether there are messages older than the retention.
    pub fn is_overdue(&mut self) -> anyhow::Result<bool> {
        let before = self.now_ms - millis(OVERDUE) + millis(Duration::from_secs(86_400));
        let sql =
            format!("SELECT count(*) AS number FROM (SELECT 1 FROM messages WHERE created_at < {before} LIMIT 1) AS t");
        Ok(self.conn.number(&sql)? > 0)
    }

    async fn messages(&mut self, stretch: Stretch) -> anyhow::Result<()> {
        let model = "verification_id IS NULL AND status = 'sent'";
        let message = self.conn.text(&format!("SELECT id AS text FROM messages WHERE {model} LIMIT 1"))?;
        let message = message.context("there is no message to copy")?;
        let times =
            ["created_at", "updated_at", "expires_at", "started_at", "finished_at", "at"].map(|name| (name, "t"));
        let org = self.org();
        let recipient = String::from("'+44' || CAST(7400000000 + n % 90000000 AS TEXT)");
        let set = |more: &[(&'static str, String)]| -> BTreeMap<&'static str, String> {
            let times = times.iter().map(|(name, time)| (*name, String::from(*time)));
            times.chain(more.iter().cloned()).collect()
        };
        let of_message = format!("message_id = '{message}'");
        self.copy(
            "messages",
            &format!("id = '{message}'"),
            &set(&[("id", id("msg")), ("org_id", org.clone()), ("decision_id", id("dec")), ("recipient", recipient)]),
            stretch,
        )
        .await?;
        let provider = ("provider_id", String::from("'old-' || CAST(n AS TEXT)"));
        let hangs = ("message_id", id("msg"));
        self.copy("attempts", &of_message, &set(&[("id", id("att")), hangs.clone(), provider]), stretch).await?;
        self.copy("message_events", &of_message, &set(&[("id", id("evt")), hangs.clone()]), stretch).await?;
        self.copy("wallet_entries", &of_message, &set(&[("id", id("txn")), hangs, ("org_id", org)]), stretch).await
    }

    async fn verifications(&mut self, stretch: Stretch) -> anyhow::Result<()> {
        let set = BTreeMap::from([
            ("id", id("vrf")),
            ("org_id", self.org()),
            ("recipient", String::from("'+44' || CAST(7400000000 + n % 90000000 AS TEXT)")),
            ("recipient_mac", self.conn.bytes(16)),
            ("created_at", String::from("t")),
            ("updated_at", String::from("t")),
            ("last_send_at", String::from("t")),
            ("expires_at", String::from("t + 600000")),
            ("decided_at", String::from("t")),
        ]);
        self.copy("verifications", "status = 'approved'", &set, stretch).await?;
        let set = BTreeMap::from([
            ("verification_id", id("vrf")),
            ("message_id", id("msg")),
            ("created_at", String::from("t")),
        ]);
        self.copy("verification_sends", "1 = 1", &set, stretch).await
    }

    /// What is kept for a day only: its times stay those of now.
    async fn of_a_day(&mut self, stretch: Stretch) -> anyhow::Result<()> {
        let set = BTreeMap::from([("subject", self.conn.bytes(16))]);
        self.copy("guard_windows", "kind = 'otp'", &set, stretch).await?;
        let set = BTreeMap::from([("key_hash", self.conn.bytes(32))]);
        self.copy("idempotency", "status = 202", &set, stretch).await
    }

    /// Every tenth row is the tenant's, the others belong to a hundred others.
    fn org(&self) -> String {
        format!(
            "CASE WHEN n % 10 = 0 THEN '{}' ELSE 'org_01h455vb4pex5vsknk' || {} END",
            self.tenant.org,
            digits("n % 100", 8)
        )
    }

    /// Copies the first row of `table` that `model` holds for, with the columns of `set` written anew.
    async fn copy(
        &mut self,
        table: &str,
        model: &str,
        set: &BTreeMap<&str, String>,
        rows: Stretch,
    ) -> anyhow::Result<()> {
        let columns = self.conn.columns(table)?;
        let names = columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let values =
            columns.iter().map(|name| set.get(name.as_str()).cloned().unwrap_or_else(|| format!("m.\"{name}\"")));
        let values = values.collect::<Vec<_>>().join(", ");
        let Stretch { first_ms, step_ms, .. } = rows;
        let mut from = rows.from;
        while from < rows.to {
            let to = rows.to.min(from + CHUNK);
            self.conn.run(&format!(
                "INSERT INTO {table} ({names}) \
                 WITH RECURSIVE series(n) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n + 1 < {to}), \
                 timed(n, t) AS (SELECT n, {first_ms} + n * {step_ms} FROM series), \
                 dated(n, t, d) AS (SELECT n, t, {date} FROM timed) \
                 SELECT {values} FROM dated CROSS JOIN (SELECT * FROM {table} WHERE {model} LIMIT 1) AS m",
                date = base32_time()
            ))
            .with_context(|| format!("filling {table}"))?;
            from = to;
            // Here whoever wants to end this is heard.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// The id of row `n` at the time whose text is `d`: a TypeID is 26 letters, ten of time, then version and variant of a
/// UUIDv7 among what is free.
fn id(prefix: &str) -> String {
    format!("'{prefix}_' || d || 'e008' || {}", digits("n", 12))
}

/// A whole number as `width` digits.
fn digits(number: &str, width: u32) -> String {
    format!("substr(CAST({} + ({number}) AS TEXT), 2)", 10u64.pow(width))
}

/// The ten letters that stand for the time `t`.
fn base32_time() -> String {
    let letter = |shift: u32| {
        format!("substr('0123456789abcdefghjkmnpqrstvwxyz', CAST(((t >> {shift}) & 31) + 1 AS INTEGER), 1)")
    };
    (0..10).rev().map(|place| letter(place * 5)).collect::<Vec<_>>().join(" || ")
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
