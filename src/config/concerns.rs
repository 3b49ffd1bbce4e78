//! The concerns of the process, one struct each. Every default stands beside its doc.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::concern::concern;
use super::fault::Wrong;
use super::kinds::{BaseUrl, DatabaseUrl, Listen, RedisUrl, SecretKey, Size, Workers, sized};
use super::setting::{any, lasting, secs, within, word_setting};
use crate::secret::Secret;
use crate::terms::Statuses;

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

crate::text_enum! {
    /// What a process does.
    pub enum Role { All = "all", Api = "api", Worker = "worker" }
}

crate::text_enum! {
    /// The form of a log line.
    pub enum LogFormat { Json = "json", Text = "text" }
}

crate::text_enum! {
    /// What becomes of request limits where several nodes serve without Redis.
    pub enum SeveralNodes {
        /// The second node does not start.
        Refuse = "refuse",
        /// Each node holds to its share.
        Divide = "divide",
    }
}

crate::text_enum! {
    /// Something that operators may be told by mail.
    pub enum AlertKind {
        /// The fraud engine holds a group of attempts.
        FraudHold = "fraud_hold",
        /// Half, four fifths or all of a spend cap is spent.
        SpendCap = "spend_cap",
        /// A carrier or a route takes nothing for now.
        CircuitOpen = "circuit_open",
        /// A webhook endpoint is called no more.
        EndpointDisabled = "endpoint_disabled",
        /// Somebody has paused live messages, or resumed them.
        Pause = "pause",
        /// A key has lowered its organization's protection against fraud.
        ProtectionLowered = "protection_lowered",
    }
}

word_setting!(Role, LogFormat, SeveralNodes, AlertKind, Activations, Switch, Statuses);

concern! {
    /// This process.
    pub struct Node {
        /// What this process does: all, api (requests only) or worker (deliveries only).
        role: Role = default "all", "POSTERN_ROLE", any;
        /// Directory for what this process keeps on disk; made with mode 0700 if absent.
        data_dir: PathBuf = default "data", "POSTERN_DATA_DIR", any;
        /// The server's key, 32 bytes in base64: the source of codes, hashes and sealing. Keep it safe: what it sealed
        /// is lost with it. On SQLite one is made at first start and kept in secret.key of the data directory; on
        /// PostgreSQL it is required, the same on every node.
        secret_key: Option<SecretKey> = example "(openssl rand -base64 32)", "POSTERN_SECRET_KEY", any;
        /// Token of a first operator with the role owner, any text of 24 characters or more.
        operator_token: Option<Secret<String>> = example "(openssl rand -hex 24)", "POSTERN_OPERATOR_TOKEN", long_enough;
        /// A Redis where several nodes count requests together; redis:// or rediss://. Wanted on PostgreSQL with more than one
        /// node that serves; SQLite does not use it.
        redis_url: Option<RedisUrl> = example "redis://127.0.0.1:6379", "POSTERN_REDIS_URL", any;
        /// Number activations: whether tenants may rent numbers of yours that receive codes. See docs/activations.md.
        activations: Activations = default "off", "POSTERN_ACTIVATIONS", any;
    }
}

crate::text_enum! {
    /// Whether number activations are served.
    pub enum Activations { Off = "off", On = "on" }
}

concern! {
    /// The API's door.
    pub struct Server {
        /// Address and port of the API. Loopback by default: TLS belongs to the proxy in front.
        bind: SocketAddr = default "127.0.0.1:8080", "POSTERN_BIND", any;
        /// The address the world reaches this server by: carriers' callbacks and their signatures, links in errors.
        /// Default: http:// and the bind address.
        public_url: Option<BaseUrl> = example "https://otp.example.com", "POSTERN_PUBLIC_URL", any;
        /// Threads that serve requests: a number, or "auto" for one per core, at most 4.
        workers: Workers = default "auto", "POSTERN_SERVER_WORKERS", any;
        /// Open connections at most, in all.
        max_connections: u32 = default "8192", "POSTERN_SERVER_MAX_CONNECTIONS", within(16..=1_000_000);
        /// How long a client may take to send its headers.
        header_timeout: Duration = default "5s", "POSTERN_SERVER_HEADER_TIMEOUT", lasting(secs(1), secs(120));
        /// How long a client may take to send its body, however steadily it sends.
        body_timeout: Duration = default "8s", "POSTERN_SERVER_BODY_TIMEOUT", lasting(secs(1), secs(300));
        /// How long an idle connection is kept open.
        keep_alive: Duration = default "60s", "POSTERN_SERVER_KEEP_ALIVE", lasting(secs(1), secs(HOUR));
        /// Largest request body.
        max_body: Size = default "1MiB", "POSTERN_SERVER_MAX_BODY", sized(4 << 10, 64 << 20);
        /// Networks of the proxies whose Forwarded and X-Forwarded-For headers are believed.
        trusted_proxies: Vec<IpNet> = default "", "POSTERN_TRUSTED_PROXIES", any;
        /// How long /readyz says no before the door closes on SIGTERM, so that balancers can look away.
        drain_delay: Duration = default "5s", "POSTERN_SERVER_DRAIN_DELAY", lasting(secs(0), secs(300));
        /// How long requests and deliveries under way may take to end after that.
        shutdown_timeout: Duration = default "30s", "POSTERN_SERVER_SHUTDOWN_TIMEOUT", lasting(secs(0), secs(600));
    }
}

concern! {
    /// The door for Prometheus, apart from the API.
    pub struct Metrics {
        /// Address and port of /metrics, or "off".
        bind: Listen = default "127.0.0.1:9090", "POSTERN_METRICS_BIND", any;
    }
}

concern! {
    /// Where the data lives.
    pub struct Database {
        /// sqlite:// and a path, or a postgres:// URL. Default: postern.db in the data directory.
        url: Option<DatabaseUrl> = example "sqlite://data/postern.db", "POSTERN_DATABASE_URL", any;
        /// Connections that read.
        readers: u32 = default "4", "POSTERN_DATABASE_READERS", within(1..=256);
        /// Connections that write, on PostgreSQL; SQLite has always one.
        writers: u32 = default "8", "POSTERN_DATABASE_WRITERS", within(1..=256);
        /// Reads, and writes, that may wait for a connection; more are answered 503.
        queue: u32 = default "1024", "POSTERN_DATABASE_QUEUE", within(1..=100_000);
        /// Messages that may wait to be accepted; more are answered 503.
        accept_queue: u32 = default "4096", "POSTERN_DATABASE_ACCEPT_QUEUE", within(1..=100_000);
        /// Messages accepted in one transaction at most, where requests are merged.
        accept_batch: u32 = default "256", "POSTERN_DATABASE_ACCEPT_BATCH", within(1..=1000);
        /// How long a statement waits for a lock.
        lock_timeout: Duration = default "2s", "POSTERN_DATABASE_LOCK_TIMEOUT", lasting(Duration::from_millis(100), secs(120));
        /// How long a request waits for the database in all, its turn included; then it is answered 503.
        answer_timeout: Duration = default "2500ms", "POSTERN_DATABASE_ANSWER_TIMEOUT", lasting(Duration::from_millis(100), secs(120));
        /// How long a statement may run, on PostgreSQL.
        statement_timeout: Duration = default "10s", "POSTERN_DATABASE_STATEMENT_TIMEOUT", lasting(Duration::from_millis(100), secs(600));
    }
}

concern! {
    /// Request limits over several nodes. Limits on messages are counted in the database and need nothing here.
    pub struct Sharing {
        /// How long to wait for Redis before a node decides alone. Redis itself needs a fraction of a millisecond; on a
        /// busy host with few cores the wait for a core alone reaches 5ms, so a tighter limit would see outages that
        /// are none.
        redis_timeout: Duration = default "20ms", "POSTERN_LIMITS_REDIS_TIMEOUT", lasting(Duration::from_millis(1), secs(5));
        /// On PostgreSQL without Redis, where another node serves already: refuse (do not start) or divide (each node
        /// allows its share of every limit, at least 1).
        several_nodes: SeveralNodes = default "refuse", "POSTERN_LIMITS_SEVERAL_NODES", any;
    }
}

concern! {
    /// Calls to the outside: carriers, and the webhook endpoints of customers.
    pub struct Outbound {
        /// How long to wait for a connection.
        connect_timeout: Duration = default "2s", "POSTERN_OUTBOUND_CONNECT_TIMEOUT", lasting(Duration::from_millis(100), secs(60));
        /// How long a whole call may take.
        total_timeout: Duration = default "10s", "POSTERN_OUTBOUND_TOTAL_TIMEOUT", lasting(Duration::from_millis(200), secs(120));
        /// Largest reply read.
        max_reply: Size = default "64KiB", "POSTERN_OUTBOUND_MAX_REPLY", sized(1 << 10, 16 << 20);
        /// How long a call to a customer's webhook endpoint may take.
        webhook_timeout: Duration = default "15s", "POSTERN_OUTBOUND_WEBHOOK_TIMEOUT", lasting(Duration::from_millis(200), secs(60));
        /// Calls to webhook endpoints under way at once from this process: half of them are kept for first tries, and one
        /// organization takes a quarter at most.
        webhook_concurrency: u32 = default "128", "POSTERN_OUTBOUND_WEBHOOK_CONCURRENCY", within(4..=1024);
        /// Private networks that customers' URLs may reach all the same.
        allow: Vec<IpNet> = default "", "POSTERN_OUTBOUND_ALLOW", any;
    }
}

concern! {
    /// Deliveries.
    pub struct Dispatch {
        /// Deliveries under way at once from this process, to all carriers together; each carrier has its own max_in_flight.
        concurrency: u32 = default "512", "POSTERN_DISPATCH_CONCURRENCY", within(1..=4096);
        /// How long a claimed delivery belongs to this process; one not finished by then is taken as lost.
        lease: Duration = default "60s", "POSTERN_DISPATCH_LEASE", lasting(secs(5), secs(HOUR));
        /// How often to look for work nobody woke this process for.
        poll_interval: Duration = default "1s", "POSTERN_DISPATCH_POLL_INTERVAL", lasting(Duration::from_millis(20), secs(60));
        /// Messages of one broadcast that may wait for their carriers; its other contacts wait in the broadcast, where they
        /// can still be held back. About what a broadcast sends in a second at most.
        broadcast_ahead: u32 = default "1000", "POSTERN_DISPATCH_BROADCAST_AHEAD", within(1..=1_000_000);
    }
}

concern! {
    /// How long things are kept.
    pub struct Retention {
        /// Stored replies of idempotency keys, at most 72h.
        idempotency: Duration = default "24h", "POSTERN_RETENTION_IDEMPOTENCY", lasting(secs(HOUR), secs(72 * HOUR));
        /// Messages that have ended, with their events.
        messages: Duration = default "90d", "POSTERN_RETENTION_MESSAGES", lasting(secs(DAY), secs(3650 * DAY));
        /// What ended messages and broadcasts said, what people wrote and what rented numbers received, sealed; the rows
        /// themselves stay. Codes of ours are gone at once, whatever stands here.
        bodies: Duration = default "7d", "POSTERN_RETENTION_BODIES", lasting(secs(HOUR), secs(3650 * DAY));
        /// Verifications that have ended.
        verifications: Duration = default "90d", "POSTERN_RETENTION_VERIFICATIONS", lasting(secs(DAY), secs(3650 * DAY));
        /// Decisions of refused messages.
        decisions: Duration = default "90d", "POSTERN_RETENTION_DECISIONS", lasting(secs(DAY), secs(3650 * DAY));
        /// Events that webhooks told of, with the log of their deliveries.
        events: Duration = default "30d", "POSTERN_RETENTION_EVENTS", lasting(secs(7 * DAY), secs(3650 * DAY));
        /// The sandbox inbox, which holds codes in the clear.
        sandbox: Duration = default "24h", "POSTERN_RETENTION_SANDBOX", lasting(secs(60), secs(30 * DAY));
        /// How often to purge.
        sweep_interval: Duration = default "1m", "POSTERN_RETENTION_SWEEP_INTERVAL", lasting(secs(1), secs(DAY));
    }
}

concern! {
    /// The log of the API's requests, as operators look them up: no bodies, no paths, no numbers.
    pub struct RequestLog {
        /// Whether requests are logged.
        enabled: Switch = default "on", "POSTERN_REQUEST_LOG_ENABLED", any;
        /// Requests a second that get a line of their own on this process, a tenth of them for messages that were simply
        /// accepted; those beyond are counted by key, route and answer, so that every count stays right.
        max_per_second: u32 = default "100", "POSTERN_REQUEST_LOG_MAX_PER_SECOND", within(0..=10_000);
        /// How long lines and counts are kept.
        retention: Duration = default "30d", "POSTERN_REQUEST_LOG_RETENTION", lasting(secs(HOUR), secs(3650 * DAY));
    }
}

concern! {
    /// The fraud engine's memory, and whom it tells.
    pub struct Fraud {
        /// Phone numbers that the engine remembers, the latest; about 450 bytes each.
        tracked_numbers: u32 = default "1000000", "POSTERN_FRAUD_TRACKED_NUMBERS", within(1_000..=100_000_000);
        /// Prefixes, networks, devices and other groups that it remembers, the latest; about 650 bytes each.
        tracked_groups: u32 = default "200000", "POSTERN_FRAUD_TRACKED_GROUPS", within(1_000..=50_000_000);
        /// How much of the past the engine reads at start, so that a restart forgets nothing that matters.
        rebuild: Duration = default "24h", "POSTERN_FRAUD_REBUILD", lasting(secs(0), secs(7 * DAY));
    }
}

concern! {
    /// Mails to operators: what the fraud engine holds, caps, circuits, endpoints and the kill switch.
    pub struct Alerts {
        /// Who is told; nobody where it is empty.
        email: Vec<String> = default "", "POSTERN_ALERTS_EMAIL", are_mail_addresses;
        /// What of: fraud_hold, spend_cap, circuit_open, endpoint_disabled, pause, protection_lowered. All of it where it is
        /// empty.
        events: Vec<AlertKind> = default "", "POSTERN_ALERTS_EVENTS", any;
        /// The carrier that takes the mails; the first that takes mail where none is named.
        carrier: Option<String> = example "mail", "POSTERN_ALERTS_CARRIER", any;
        /// At most one mail in this time for each kind and organization; the next one says how often it happened.
        every: Duration = default "15m", "POSTERN_ALERTS_EVERY", lasting(secs(60), secs(DAY));
    }
}

concern! {
    /// Money: who writes the invoices, and who may say that a payment came in.
    pub struct Billing {
        /// Secret that a payment service signs its calls to /hooks/payments with, as Standard Webhooks has it: whsec_ and
        /// base64. Without one no payment is believed.
        payment_secret: Option<Secret<String>> = example "whsec_(openssl rand -base64 32)", "POSTERN_BILLING_PAYMENT_SECRET", is_a_signing_secret;
        /// The name at the head of invoices.
        issuer: String = default "Postern", "POSTERN_BILLING_ISSUER", any;
        /// The issuer's address; lines are separated by a vertical bar.
        issuer_address: Option<String> = example "1 Sample Street|London EC1A 1AA|United Kingdom", "POSTERN_BILLING_ISSUER_ADDRESS", any;
        /// The issuer's tax number.
        issuer_tax_id: Option<String> = example "GB123456789", "POSTERN_BILLING_ISSUER_TAX_ID", any;
        /// How to pay: bank details, a link; lines are separated by a vertical bar.
        payment_terms: Option<String> = example "Bank: …|IBAN: …", "POSTERN_BILLING_PAYMENT_TERMS", any;
        /// Tax on charges, in hundredths of a percent: 2000 is 20 %.
        tax: u32 = default "0", "POSTERN_BILLING_TAX", within(0..=10_000);
        /// Days until an invoice is due.
        due_days: u32 = default "14", "POSTERN_BILLING_DUE_DAYS", within(0..=365);
        /// The carrier of kind smtp that mails invoices; without one they are only kept.
        mail_carrier: Option<String> = example "mail", "POSTERN_BILLING_MAIL_CARRIER", any;
        /// Live messages that an organization on the free plan may send in a calendar month; 0 for no bound.
        free_allowance: u32 = default "1000", "POSTERN_BILLING_FREE_ALLOWANCE", any;
    }
}

concern! {
    /// Numbers that are rented to receive codes, where activations are on.
    pub struct Numbers {
        /// How long a rented number waits for its code before the rent ends by itself.
        life: Duration = default "20m", "POSTERN_NUMBERS_LIFE", lasting(secs(60), secs(DAY));
        /// How old a rent must be before it can be cancelled.
        cancel_after: Duration = default "2m", "POSTERN_NUMBERS_CANCEL_AFTER", lasting(secs(0), secs(HOUR));
        /// How the text endpoint answers where a key says nothing else: always_200, as its clients know it, with the status in
        /// X-Activation-Status; or mapped, with the status itself.
        statuses: Statuses = default "always_200", "POSTERN_NUMBERS_STATUSES", any;
    }
}

crate::text_enum! {
    /// Whether something is there.
    pub enum Switch { Off = "off", On = "on" }
}

concern! {
    /// The operators' console under /console.
    pub struct Console {
        /// Whether it is served.
        enabled: Switch = default "on", "POSTERN_CONSOLE", any;
        /// How long a session may rest before its operator signs in again.
        session_idle: Duration = default "30m", "POSTERN_CONSOLE_SESSION_IDLE", lasting(secs(120), secs(DAY));
        /// How long a session lasts at most.
        session_max: Duration = default "12h", "POSTERN_CONSOLE_SESSION_MAX", lasting(secs(300), secs(7 * DAY));
    }
}

concern! {
    /// Signed checkpoints of the audit chain: kept where the database's owner has no hand, they show a log that was cut, put
    /// back to an older state or replaced. Each is written into the log as well. See docs/audit.md.
    pub struct Audit {
        /// One in this time, however many processes there are.
        checkpoint_every: Duration = default "1h", "POSTERN_AUDIT_CHECKPOINT_EVERY", lasting(secs(60), secs(DAY));
        /// A file that each is appended to, one line of JSON; of the process that delivers.
        checkpoint_file: Option<PathBuf> = example "/var/log/postern/checkpoints.jsonl", "POSTERN_AUDIT_CHECKPOINT_FILE", any;
        /// An address that each is posted to. Private networks must be opened by outbound.allow.
        checkpoint_url: Option<BaseUrl> = example "https://vault.example.com/checkpoints", "POSTERN_AUDIT_CHECKPOINT_URL", any;
    }
}

concern! {
    /// Copies of the embedded database that the console asks for; `postern backup` writes wherever it is told.
    pub struct Backup {
        /// Where they go; better on another disk. Default: backups in the data directory.
        directory: Option<PathBuf> = example "/backups", "POSTERN_BACKUP_DIRECTORY", any;
    }
}

concern! {
    /// Logs, on standard error.
    pub struct Log {
        /// What to log: a level, or levels by target such as "info,postern::jobs=debug".
        filter: String = default "info,actix_server=warn", "POSTERN_LOG", is_a_filter;
        /// json, one object a line, or text for people.
        format: LogFormat = default "json", "POSTERN_LOG_FORMAT", any;
    }
}

fn long_enough(token: &Option<Secret<String>>) -> Result<(), Wrong> {
    match token {
        Some(token) if token.expose().chars().count() < 24 => {
            Err(Wrong::new("is shorter than 24 characters", "make one with: openssl rand -base64 32"))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::ptr_arg, reason = "has the shape of every check")]
fn are_mail_addresses(list: &Vec<String>) -> Result<(), Wrong> {
    match list.iter().find(|address| address.parse::<lettre::Address>().is_err()) {
        Some(wrong) => Err(Wrong::new(format!("= {wrong:?} is not a mail address"), "write it as ops@example.com")),
        None => Ok(()),
    }
}

fn is_a_signing_secret(secret: &Option<Secret<String>>) -> Result<(), Wrong> {
    let fits = |secret: &Secret<String>| {
        secret.expose().starts_with("whsec_") && standardwebhooks::Webhook::new(secret.expose()).is_ok()
    };
    match secret {
        Some(secret) if !fits(secret) => {
            Err(Wrong::new("is not whsec_ and base64", "make one with: echo whsec_$(openssl rand -base64 32)"))
        }
        _ => Ok(()),
    }
}

fn is_a_filter(filter: &String) -> Result<(), Wrong> {
    let wrong = |error| {
        Wrong::new(format!("= {filter:?} is not a log filter: {error}"), "write a level, e.g. \"info\" or \"debug\"")
    };
    tracing_subscriber::EnvFilter::try_new(filter).map(|_| ()).map_err(wrong)
}
