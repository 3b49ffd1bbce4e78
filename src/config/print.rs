//! The commented default configuration, made from the declarations; and hints for names that nothing knows.

use std::fmt::Write;

use super::carriers::{
    BirdCarrier, CarrierKeys, HttpKeys, InfobipCarrier, KannelCarrier, MetaCarrier, PlivoCarrier, Receipt, SmppCarrier,
    SmtpCarrier, SnsCarrier, TwilioCarrier, VonageCarrier, VonageSmsCarrier,
};
use super::concern::{Concern, Fallback, Key};
use super::concerns::{
    Alerts, Audit, Backup, Billing, Console, Database, Dispatch, Fraud, Log, Metrics, Node, Numbers, Outbound,
    RequestLog, Retention, Server, Sharing,
};
use super::fault::did_you_mean;

const HEAD: &str = "\
# Postern's configuration. Every key is shown with its default and commented out; uncomment what you change.
# A variable named beside a key overrules the file. `postern config check` reports every fault at once.
# Durations are a number and a unit (ms, s, m, h, d), sizes a number and B, KiB or MiB.
";

const CARRIERS_HEAD: &str = "
# ---------------------------------------------------------------------------------------------------------------------
# Carriers: who takes messages to handsets and mailboxes. A carrier named sandbox, which reaches nobody, is built in.
# A key's variable is POSTERN_CARRIER_{NAME}_{KEY}, e.g. POSTERN_CARRIER_ACME_AUTH_TOKEN: keep secrets there.
# All of them at once: POSTERN_CARRIERS='[{ name = \"acme\", kind = \"twilio\", … }]'.
";

/// A table of the file: its name, docs and keys.
type Shown = (&'static str, &'static [&'static str], &'static [Key]);

fn tables() -> [Shown; 17] {
    [
        ("", Node::DOCS, Node::KEYS),
        ("server", Server::DOCS, Server::KEYS),
        ("metrics", Metrics::DOCS, Metrics::KEYS),
        ("database", Database::DOCS, Database::KEYS),
        ("limits", Sharing::DOCS, Sharing::KEYS),
        ("outbound", Outbound::DOCS, Outbound::KEYS),
        ("dispatch", Dispatch::DOCS, Dispatch::KEYS),
        ("retention", Retention::DOCS, Retention::KEYS),
        ("request_log", RequestLog::DOCS, RequestLog::KEYS),
        ("fraud", Fraud::DOCS, Fraud::KEYS),
        ("alerts", Alerts::DOCS, Alerts::KEYS),
        ("billing", Billing::DOCS, Billing::KEYS),
        ("numbers", Numbers::DOCS, Numbers::KEYS),
        ("audit", Audit::DOCS, Audit::KEYS),
        ("backup", Backup::DOCS, Backup::KEYS),
        ("console", Console::DOCS, Console::KEYS),
        ("log", Log::DOCS, Log::KEYS),
    ]
}

/// Every key of every table but the carriers'.
#[cfg(test)]
pub(super) fn keys() -> Vec<&'static Key> {
    tables().iter().flat_map(|(_, _, keys)| keys.iter()).collect()
}

/// The whole default configuration, as `postern config print` shows it.
pub fn default_file() -> String {
    let mut out = String::from(HEAD);
    for (name, docs, keys) in tables() {
        write_table(&mut out, &if name.is_empty() { String::new() } else { format!("[{name}]") }, docs, keys);
    }
    out.push_str(CARRIERS_HEAD);
    for (name, kind, docs, keys) in carriers() {
        write_docs(&mut out, docs, "\n");
        let _ = writeln!(out, "#[[carriers]]\n#name = \"{name}\"\n#kind = \"{kind}\"");
        let carried = Fallback::Default(match kind {
            "smtp" => "email",
            "meta" => "whatsapp",
            _ => "sms",
        });
        let channels = CarrierKeys::KEYS.iter().filter(|key| key.name == "channels");
        channels.for_each(|key| write_key(&mut out, &Key { fallback: carried, ..*key }));
        keys.iter().for_each(|key| write_key(&mut out, key));
        if kind == "http" {
            write_docs(&mut out, Receipt::DOCS, "\n");
            out.push_str("#[carriers.receipt]\n");
            Receipt::KEYS.iter().for_each(|key| write_key(&mut out, key));
        }
    }
    out
}

fn carriers() -> [(&'static str, &'static str, &'static [&'static str], &'static [Key]); 12] {
    [
        ("twilio", "twilio", TwilioCarrier::DOCS, TwilioCarrier::KEYS),
        ("gateway", "http", HttpKeys::DOCS, HttpKeys::KEYS),
        ("centre", "smpp", SmppCarrier::DOCS, SmppCarrier::KEYS),
        ("mail", "smtp", SmtpCarrier::DOCS, SmtpCarrier::KEYS),
        ("vonage-sms", "vonage_sms", VonageSmsCarrier::DOCS, VonageSmsCarrier::KEYS),
        ("vonage", "vonage", VonageCarrier::DOCS, VonageCarrier::KEYS),
        ("infobip", "infobip", InfobipCarrier::DOCS, InfobipCarrier::KEYS),
        ("plivo", "plivo", PlivoCarrier::DOCS, PlivoCarrier::KEYS),
        ("bird", "bird", BirdCarrier::DOCS, BirdCarrier::KEYS),
        ("sns", "sns", SnsCarrier::DOCS, SnsCarrier::KEYS),
        ("kannel", "kannel", KannelCarrier::DOCS, KannelCarrier::KEYS),
        ("whatsapp", "meta", MetaCarrier::DOCS, MetaCarrier::KEYS),
    ]
}

fn write_table(out: &mut String, header: &str, docs: &[&str], keys: &[Key]) {
    write_docs(out, docs, "\n");
    if !header.is_empty() {
        let _ = writeln!(out, "{header}");
    }
    keys.iter().for_each(|key| write_key(out, key));
}

fn write_docs(out: &mut String, docs: &[&str], before: &str) {
    out.push_str(before);
    for line in docs {
        let _ = writeln!(out, "#{}{line}", if line.starts_with(' ') { "" } else { " " });
    }
}

fn write_key(out: &mut String, key: &Key) {
    let (text, note) = match key.fallback {
        Fallback::Default(text) => (text, ""),
        Fallback::Example(text) => (text, "Shown: an example."),
        Fallback::Required(text) => (text, "Required."),
    };
    write_docs(out, key.docs, "\n");
    let variable = if key.env.is_empty() { String::new() } else { format!("Variable: {}.", key.env) };
    let notes: Vec<&str> = [note, variable.as_str()].into_iter().filter(|note| !note.is_empty()).collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "# {}", notes.join(" "));
    }
    let _ = writeln!(out, "#{} = {}", key.name, (key.toml)(text));
}

/// What to do about a key of the top level that nothing knows.
pub(super) fn hint_for_key(name: &str) -> String {
    let homes: Vec<&str> = tables()
        .iter()
        .filter(|(table, _, keys)| !table.is_empty() && keys.iter().any(|key| key.name == name))
        .map(|(table, _, _)| *table)
        .collect();
    if !homes.is_empty() {
        return format!("it belongs under [{}]", homes.join("] or ["));
    }
    let names = tables().into_iter().map(|(table, _, _)| table).filter(|table| !table.is_empty());
    let known = names.chain(Node::KEYS.iter().map(|key| key.name)).chain(["carriers"]);
    match did_you_mean(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None => String::from("`postern config print` shows every key"),
    }
}

/// What to do about a variable that nothing knows.
pub(super) fn hint_for_variable(name: &str) -> String {
    let all = tables();
    let known = all.iter().flat_map(|(_, _, keys)| keys.iter().map(|key| key.env));
    // Compared without the common beginning, which would make every variable look alike.
    let bare = |name: &'static str| name.trim_start_matches("POSTERN_");
    match did_you_mean(name.trim_start_matches("POSTERN_"), known.map(bare).chain(["CONFIG", "CARRIERS"])) {
        Some(near) => format!("did you mean POSTERN_{near}?"),
        None => String::from("`postern config print` shows every variable; unset this one"),
    }
}
