//! Configuration: one struct per concern, defaults beside the docs, read from `postern.toml` and `POSTERN_*` variables,
//! every fault reported at once with its place and a hint.

mod carriers;
mod check;
mod concern;
mod concerns;
mod fault;
mod keyring;
mod kinds;
mod print;
mod reader;
mod setting;
mod source;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use concern::Concern;
use reader::{Reader, Section};
use value::{Entry, Table, Value};

pub use carriers::{
    BindMode, BirdCarrier, BirdCategory, BodyForm, CarrierConfig, CarrierKind, Concatenation, DataCoding, Fill,
    HttpCarrier, HttpKeys, IdForm, InfobipCarrier, KannelCarrier, MailTls, MetaCarrier, Method, PlivoCarrier, Receipt,
    ReceiptStatus, Room, SANDBOX, SignatureForm, SmppCarrier, SmppTls, SmppVersion, SmtpCarrier, SnsCarrier, Template,
    TonNpi, TwilioCarrier, VonageCarrier, VonageSmsCarrier, YesNo,
};
pub use concerns::{
    Activations, AlertKind, Alerts, Audit, Backup, Billing, Console, Database, Dispatch, Fraud, Log, LogFormat,
    Metrics, Node, Numbers, Outbound, RequestLog, Retention, Role, Server, SeveralNodes, Sharing, Switch,
};
pub use fault::{ConfigFaults, Fault, Origin, Wrong};
pub use keyring::{KeyState, secret_key_file};
pub use kinds::{BaseUrl, DatabaseUrl, Listen, RedisUrl, SecretKey, Size, Workers};
pub use print::default_file;
pub use reader::Written;
pub use source::Source;

/// Everything an operator can set, checked. Its Debug shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// This process: role, data directory, keys.
    pub node: Node,
    /// The API's door.
    pub server: Server,
    /// The door for Prometheus.
    pub metrics: Metrics,
    /// Where the data lives.
    pub database: Database,
    /// Request limits over several nodes.
    pub limits: Sharing,
    /// Calls to the outside.
    pub outbound: Outbound,
    /// Deliveries.
    pub dispatch: Dispatch,
    /// How long things are kept.
    pub retention: Retention,
    /// The log of the API's requests.
    pub request_log: RequestLog,
    /// The fraud engine.
    pub fraud: Fraud,
    /// Mails to operators.
    pub alerts: Alerts,
    /// Money.
    pub billing: Billing,
    /// Rented numbers.
    pub numbers: Numbers,
    /// Checkpoints of the audit chain.
    pub audit: Audit,
    /// Copies of the database.
    pub backup: Backup,
    /// The operators' console.
    pub console: Console,
    /// Logs.
    pub log: Log,
    /// Who takes messages; the sandbox comes first.
    pub carriers: Vec<CarrierConfig>,
    /// Every key that is written somewhere, without its value where that might be a secret.
    pub written: Vec<Written>,
}

impl Config {
    /// Reads file and environment as `source` holds them.
    pub fn load(source: Source) -> Result<Config, ConfigFaults> {
        let Source { name, text, env, defaults } = source;
        let mut reader =
            Reader { file: name, env, defaults, faults: Vec::new(), origins: BTreeMap::new(), written: Vec::new() };
        let (mut tables, syntax) = value::parse_file(&text);
        let config = read_concerns(&mut reader, &mut tables);
        refuse_leftovers(&mut reader, tables);
        let written = std::mem::take(&mut reader.written);
        let faults = with_syntax(reader, syntax);
        match config {
            Some(config) if faults.is_empty() => Ok(Config { written, ..config }),
            _ => Err(ConfigFaults(faults)),
        }
    }

    /// Defaults that suit a test: free ports, a fresh data directory (not made yet), a fixed key, short waits.
    #[expect(clippy::expect_used, reason = "a unit test holds these values to the readers")]
    pub fn for_tests() -> Config {
        let dir = std::env::temp_dir().join(format!("postern-test-{}", crate::secret::random_token::<12>()));
        let env = [
            ("POSTERN_BIND", "127.0.0.1:0"),
            ("POSTERN_METRICS_BIND", "off"),
            ("POSTERN_PUBLIC_URL", "http://localhost:8080"),
            ("POSTERN_ACTIVATIONS", "on"),
            ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("POSTERN_SERVER_WORKERS", "1"),
            ("POSTERN_SERVER_DRAIN_DELAY", "0s"),
            ("POSTERN_SERVER_SHUTDOWN_TIMEOUT", "2s"),
            ("POSTERN_DATABASE_READERS", "2"),
            ("POSTERN_DATABASE_WRITERS", "2"),
        ];
        let mut env: BTreeMap<String, String> = env.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        env.insert("POSTERN_DATA_DIR".to_owned(), dir.display().to_string());
        Config::load(Source { name: String::from("tests"), env, ..Source::default() }).expect("values for tests")
    }

    /// The address the world reaches this server by, without a `/` at its end.
    pub fn public_url(&self) -> BaseUrl {
        self.server.public_url.clone().unwrap_or_else(|| BaseUrl::local(self.server.bind))
    }

    /// Where the data lives; a file in the data directory unless told otherwise.
    pub fn database_url(&self) -> DatabaseUrl {
        let own = || DatabaseUrl::Sqlite(self.node.data_dir.join("postern.db"));
        self.database.url.clone().unwrap_or_else(own)
    }

    /// The carrier of this name.
    pub fn carrier(&self, name: &str) -> Option<&CarrierConfig> {
        self.carriers.iter().find(|carrier| carrier.name == name)
    }

    /// Where copies of the database go that the console asks for.
    pub fn backup_directory(&self) -> PathBuf {
        self.backup.directory.clone().unwrap_or_else(|| self.node.data_dir.join("backups"))
    }

    /// The file the server's key is kept in where no variable or key gives it.
    pub fn secret_key_file(&self) -> PathBuf {
        secret_key_file(&self.node.data_dir)
    }
}

fn read_concerns(reader: &mut Reader, tables: &mut Table) -> Option<Config> {
    let server = named::<Server>(reader, tables, "server");
    let metrics = named::<Metrics>(reader, tables, "metrics");
    let database = named::<Database>(reader, tables, "database");
    let limits = named::<Sharing>(reader, tables, "limits");
    let outbound = named::<Outbound>(reader, tables, "outbound");
    let dispatch = named::<Dispatch>(reader, tables, "dispatch");
    let retention = named::<Retention>(reader, tables, "retention");
    let request_log = named::<RequestLog>(reader, tables, "request_log");
    let fraud = named::<Fraud>(reader, tables, "fraud");
    let alerts = named::<Alerts>(reader, tables, "alerts");
    let billing = named::<Billing>(reader, tables, "billing");
    let numbers = named::<Numbers>(reader, tables, "numbers");
    let audit = named::<Audit>(reader, tables, "audit");
    let backup = named::<Backup>(reader, tables, "backup");
    let console = named::<Console>(reader, tables, "console");
    let log = named::<Log>(reader, tables, "log");
    let carriers = carriers::read(reader, tables.remove("carriers"));
    let top = Node::KEYS.iter().filter_map(|key| tables.remove_entry(key.name)).collect();
    let node = Node::read(&mut Section::named(reader, "", top));
    if let (Some(node), Some(database)) = (&node, &database) {
        check::shared_key(node, database, reader);
    }
    if let (Some(dispatch), Some(outbound)) = (&dispatch, &outbound) {
        check::lease_outlasts_a_call(dispatch, outbound, reader);
        check::connect_fits_in_a_call(outbound, reader);
    }
    if let (Some(server), Some(metrics)) = (&server, &metrics) {
        check::doors_differ(server, metrics, reader);
    }
    if let Some(retention) = &retention {
        check::messages_outlive_keys(retention, reader);
    }
    Some(Config {
        node: node?,
        server: server?,
        metrics: metrics?,
        database: database?,
        limits: limits?,
        outbound: outbound?,
        dispatch: dispatch?,
        retention: retention?,
        request_log: request_log?,
        fraud: fraud?,
        alerts: alerts?,
        billing: billing?,
        numbers: numbers?,
        audit: audit?,
        backup: backup?,
        console: console?,
        log: log?,
        carriers,
        written: Vec::new(),
    })
}

/// Reads the table `name`, which may be absent.
fn named<C: Concern>(reader: &mut Reader, tables: &mut Table, name: &str) -> Option<C> {
    let table = match tables.remove(name) {
        None => Table::new(),
        Some(Entry { value: Value::Table(table), .. }) => table,
        Some(Entry { value, line }) => {
            let what = format!("is {}, not a table", value.type_name());
            reader.fault_at(line, name, Wrong::new(what, format!("write [{name}] on a line of its own")));
            Table::new()
        }
    };
    C::read(&mut Section::named(reader, name, table))
}

/// Whatever nothing has taken: keys at the top level, and variables that look like ours.
fn refuse_leftovers(reader: &mut Reader, tables: Table) {
    for (name, entry) in tables {
        let wrong = Wrong::new("is not a known key", print::hint_for_key(&name));
        reader.fault_at(entry.line, &name, wrong);
    }
    for name in std::mem::take(&mut reader.env).into_keys() {
        if !source::is_foreign(&name) {
            let wrong = Wrong::new("is not a known variable", print::hint_for_variable(&name));
            reader.faults.push(Fault { origin: Origin::Variable(name), key: String::new(), wrong });
        }
    }
}

/// Faults of syntax first; other faults of the same lines are only their echo.
fn with_syntax(reader: Reader, syntax: Vec<(usize, String)>) -> Vec<Fault> {
    let broken: Vec<usize> = syntax.iter().map(|(line, _)| *line).collect();
    let file = reader.file;
    let mut faults: Vec<Fault> = syntax
        .into_iter()
        .map(|(line, message)| Fault {
            origin: Origin::Line(file.clone(), line),
            key: String::new(),
            wrong: Wrong::new(format!("is not TOML: {message}"), "texts need quotes: key = \"value\""),
        })
        .collect();
    let echo = |fault: &Fault| matches!(&fault.origin, Origin::Line(_, line) if broken.contains(line));
    faults.extend(reader.faults.into_iter().filter(|fault| !echo(fault)));
    faults.sort_by(|left, right| left.origin.cmp(&right.origin));
    faults
}

#[cfg(test)]
mod tests;
