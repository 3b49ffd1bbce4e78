//! `postern key`: API keys. A secret is printed once, when its key is made.

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::show;
use crate::accounts::{KeySearch, KeyView, NewKey, Scopes, create_key, list_keys, revoke_key, rotate_key};
use crate::clock::{Span, parse_duration};
use crate::config::Config;
use crate::ids::{KeyId, OrgId};
use crate::secret::Secret;
use crate::terms::Mode;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Make a key; its secret is shown once
    Create(Create),
    /// List keys, newest first
    List {
        /// Only this organization's, org_…
        #[arg(long)]
        org: Option<OrgId>,
        /// Only the one whose text begins so, pst_live_… or pst_test_… and twelve letters
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Make a key that replaces another, which goes on working for a while
    Rotate {
        /// The key to replace, key_…
        id: KeyId,
        /// How long the old key still works
        #[arg(long, default_value = "24h", value_parser = span)]
        overlap: Span,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// Stop a key from working
    Revoke {
        /// The key, key_…
        id: KeyId,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
    },
}

/// A key to make.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// The organization, org_…
    #[arg(long)]
    org: OrgId,
    /// live or test
    #[arg(long)]
    mode: Mode,
    /// What its owner calls it
    #[arg(long, default_value = "default")]
    name: String,
    /// What it may do, by comma, e.g. messages:send,messages:read; everything where absent
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// How long it works, e.g. 90d; for ever where absent
    #[arg(long, value_parser = span)]
    expires_in: Option<Span>,
    /// Why, for the audit log
    #[arg(long)]
    reason: Option<String>,
}

/// A key just made.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    key: &'a KeyView,
    secret: &'a str,
}

/// As many keys as a list shows; nobody has more that still matter.
const LIST_LIMIT: i64 = 1000;

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let desk = Desk::ready(&config).await?;
    match args {
        Args::Create(new) => create(&desk, new).await,
        Args::List { org, prefix } => {
            let search = KeySearch { org, prefix };
            show::json(&desk.look(move |conn| list_keys(conn, &search, None, LIST_LIMIT)).await?)
        }
        Args::Rotate { id, overlap, reason } => {
            show_made(desk.change(reason, move |conn, by| rotate_key(conn, by, id, overlap)).await?)
        }
        Args::Revoke { id, reason } => {
            show::json(&desk.change(reason, move |conn, by| revoke_key(conn, by, id)).await?)
        }
    }
}

async fn create(desk: &Desk, args: Create) -> anyhow::Result<()> {
    let scopes = match args.scopes.as_slice() {
        [] => None,
        words => Some(Scopes::parse(words).map_err(|why| anyhow::anyhow!("--scopes {why}"))?),
    };
    let expires_at = args.expires_in.map(|span| desk.now().plus(span.0));
    let new = NewKey { scopes, expires_at, ..NewKey::named(args.name, args.mode) };
    let org = args.org;
    show_made(desk.change(args.reason, move |conn, by| create_key(conn, by, org, new)).await?)
}

fn show_made((key, secret): (KeyView, Secret<String>)) -> anyhow::Result<()> {
    show::json(&Made { key: &key, secret: secret.expose() })
}

fn span(text: &str) -> Result<Span, &'static str> {
    parse_duration(text).map(Span).ok_or("write a whole number and a unit (s, m, h, d), e.g. 24h")
}
