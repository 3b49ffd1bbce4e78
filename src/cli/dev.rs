//! `postern dev`: everything on embedded defaults, with a demo organization and a curl that works when pasted.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::json;
use tokio::sync::watch;

use super::desk::Desk;
use super::{serve, show};
use crate::accounts::{
    Countries, KybStatus, NewKey, NewOperator, NewOrg, PlanName, Role, TokenTerms, create_key, create_operator,
    create_operator_token, create_org, list_orgs,
};
use crate::audit::{By, Change};
use crate::clock::Clock;
use crate::config::{Config, SANDBOX, Source};
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{OrgId, RouteId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::routing::{self, Route};
use crate::secret::Secret;
use crate::simulator::{Settings, Simulator};
use crate::start::{self, Signals};
use crate::terms::{Channel, Mode};
use crate::wallet::{self, ChargedAt, Entry, EntryKind, Price};
use crate::whatsapp::{NewNumber, NumberStatus, Quality, TierChange, create_number};

/// How to run for development.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(flatten)]
    serve: serve::Args,
    /// Simulate Meta's WhatsApp Cloud API as well, as the carrier "meta"; docs/simulator.md
    #[arg(long)]
    simulate_meta: bool,
}

impl Args {
    /// The source with what the command line says, and defaults that suit a terminal.
    pub fn over(&self, source: Source) -> Source {
        let quick = source.with_default("POSTERN_LOG_FORMAT", "text").with_default("POSTERN_SERVER_DRAIN_DELAY", "0s");
        self.serve.over(quick)
    }
}

/// What the first start makes. The secrets are shown once.
struct First {
    test_key: Secret<String>,
    live_key: Secret<String>,
    operator: Secret<String>,
}

/// Runs the command: as `serve`, after the demo organization was made where there is no organization at all.
pub async fn run(mut config: Config, args: Args) -> anyhow::Result<()> {
    config.keyring()?;
    let meta = if args.simulate_meta { Some(StandIn::beside(&mut config)?) } else { None };
    let app = start::wire(config, Clock::System).await?;
    serve::enter(&app).await?;
    let desk = Desk::at(app.db.clone(), app.clock.clone());
    let signals = Signals::caught()?;
    let running = start::run(app).await?;
    // After the doors are open: keys that were made and then not shown would be lost.
    let whatsapp = if meta.is_some() { META } else { SANDBOX };
    let first = desk.change(reason(), move |conn, by| first_start(conn, by, whatsapp)).await?;
    let base = match (&running.app.config.server.public_url, running.address) {
        (None, Some(address)) => format!("http://{address}"),
        _ => running.app.config.public_url().to_string(),
    };
    // A terminal that has gone away is no reason to stop serving.
    let _ = show::line(banner(&base, first.as_ref()));
    serve::show_first_link(&running.app, &base).await?;
    // Held until the end: it goes with this.
    let _stop = meta.map(|meta| meta.open(&base)).transpose()?;
    running.until_signal(signals).await;
    Ok(())
}

/// The name of the simulated carrier.
const META: &str = "meta";

/// The simulator of Meta's API, in this process.
struct StandIn {
    settings: Settings,
    listener: TcpListener,
}

impl StandIn {
    /// Takes a free port and adds the carrier that calls it to the configuration.
    fn beside(config: &mut Config) -> anyhow::Result<StandIn> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let settings = Settings::default();
        let text = settings.carrier_toml(&format!("http://{}", listener.local_addr()?));
        let source = Source { name: String::from("the simulator"), text, ..Source::default() };
        config.carriers.retain(|carrier| carrier.name != META);
        config.carriers.extend(Config::load(source)?.carriers.into_iter().filter(|carrier| carrier.name == META));
        Ok(StandIn { settings, listener })
    }

    /// Opens it, with its webhooks going to `base`.
    fn open(self, base: &str) -> anyhow::Result<watch::Sender<bool>> {
        let (stop, stopping) = watch::channel(false);
        let at = self.listener.local_addr()?;
        let settings = Settings { callback: Some(format!("{base}/hooks/meta")), ..self.settings };
        Simulator::new(settings, Clock::System)?.spawn(self.listener, stopping)?;
        let _ = show::line(format!(
            "  Meta's Cloud API is simulated at http://{at} as the carrier \"{META}\"; what was sent:\n\n    \
             curl -s http://{at}/_sim/state\n"
        ));
        Ok(stop)
    }
}

fn reason() -> Option<String> {
    Some(String::from("first start of postern dev"))
}

/// Makes the demo organization, its keys, a WhatsApp number, an operator and routes to the sandbox; nothing where there is any
/// organization, so that it happens once. WhatsApp goes by the carrier `whatsapp`.
fn first_start(conn: &mut Conn, by: &By, whatsapp: &str) -> Result<Option<First>> {
    if !list_orgs(conn, None, 1)?.is_empty() {
        return Ok(None);
    }
    let home = "US".parse::<Country>().map_err(crate::error::Error::internal)?;
    let plain = NewOrg::named("Demo", PlanName::Pro, home);
    let new = NewOrg { countries: Some(Countries::Every), kyb_status: Some(KybStatus::Verified), ..plain };
    let org = create_org(conn, by, new)?.id;
    let settings = Settings::default();
    let number = NewNumber {
        org_id: org,
        phone: format!("+{}", settings.display_phone_number),
        portfolio: String::from("demo"),
        tier: TierChange::default(),
        quality: Quality::Green,
        throughput: 80,
        status: NumberStatus::Connected,
        waba_id: (whatsapp == META).then_some(settings.waba_id),
        phone_number_id: (whatsapp == META).then_some(settings.phone_number_id),
    };
    create_number(conn, by, number)?;
    let (_, test_key) = create_key(conn, by, org, NewKey::named("dev test", Mode::Test))?;
    let (_, live_key) = create_key(conn, by, org, NewKey::named("dev live", Mode::Live))?;
    let owner = NewOperator { name: String::from("dev"), role: Role::Owner, reason: None };
    let owner = create_operator(conn, by, owner)?.id;
    let (_, operator) = create_operator_token(conn, by, owner, TokenTerms::default())?;
    if routing::load(conn)?.is_empty() {
        let carrier = |channel: Channel| if channel == Channel::Whatsapp { whatsapp } else { SANDBOX };
        let routes: Vec<Route> = Channel::ALL.iter().map(|channel| to(carrier(*channel), *channel, by)).collect();
        routing::replace(conn, &routes, by.now)?;
        let told: BTreeMap<&str, &str> =
            Channel::ALL.iter().map(|channel| (channel.as_str(), carrier(*channel))).collect();
        by.tell(conn, "routes.replace", "routes", Change::made(&told))?;
    }
    fund(conn, by, org)?;
    Ok(Some(First { test_key, live_key, operator }))
}

/// A price list and money to spend, so that prices, holds and charges show.
fn fund(conn: &mut Conn, by: &By, org: OrgId) -> Result<()> {
    if wallet::load_prices(conn)?.is_empty() {
        let list = [(Channel::Sms, Micros(7_500)), (Channel::Email, Micros(400))].map(|(channel, amount)| Price {
            channel,
            country: None,
            prefix: None,
            category: None,
            segment: 1,
            amount,
            currency: Currency::USD,
            valid_from: by.now,
            charged_at: ChargedAt::HandOff,
        });
        wallet::replace_prices(conn, &list, by.now)?;
        let shown = list.map(|price| json!({"channel": price.channel, "amount": price.amount.to_string()}));
        by.tell(conn, "prices.replace", "prices", Change::made(&shown))?;
    }
    let owner = (org, Mode::Live);
    let gift = Entry::new(EntryKind::Adjustment, owner, Micros(100_000_000), Currency::USD, by.now);
    let gift = Entry { reason: by.reason.clone(), ..gift };
    let after = wallet::adjust(conn, &gift, by.now)?;
    by.tell(conn, "wallet.adjust", org, Change::made(&json!({"balance": after.balance.to_string()})))
}

/// A route for everything of one channel, so that the live key works here as well and reaches nobody.
fn to(carrier: &str, channel: Channel, by: &By) -> Route {
    Route {
        id: RouteId::new(by.now),
        channel,
        country: None,
        prefix: None,
        org_id: None,
        carrier: String::from(carrier),
        priority: 100,
        weight: 1,
        price: None,
        paused: false,
    }
}

fn banner(base: &str, first: Option<&First>) -> String {
    let Some(first) = first else {
        return format!(
            "\nPostern is up at {base}\n\n  Keys were shown at first start; `postern key create --org … --mode test` makes \
             new ones (`postern org list` shows the organizations).\n"
        );
    };
    let First { test_key, live_key, operator } = first;
    let test = test_key.expose();
    format!(
        "\nPostern is up at {base}\n\n  These are shown once; keep them:\n\n    test key        {test}\n    live key        {}\n    \
         operator token  {}\n\n  Send a code (the sandbox takes it, no carrier is called):\n\n    \
         curl -s {base}/v1/verifications -H 'Authorization: Bearer {test}' \\\n      \
         -H 'Content-Type: application/json' -d '{{\"to\":\"{DEMO_NUMBER}\"}}'\n\n  See it arrive:\n\n    \
         curl -s '{base}/v1/sandbox/messages?to={DEMO_NUMBER_ENCODED}' -H 'Authorization: Bearer {test}'\n\n  Check it, with the code \
         you see in place of 000000:\n\n    \
         curl -s {base}/v1/verifications/check -H 'Authorization: Bearer {test}' \\\n      \
         -H 'Content-Type: application/json' -d '{{\"to\":\"{DEMO_NUMBER}\",\"code\":\"000000\"}}'\n",
        live_key.expose(),
        operator.expose(),
    )
}

/// A number set aside for fiction (NANP, 555-0100 to 555-0199): no handset has it.
const DEMO_NUMBER: &str = "+14155550123";
const DEMO_NUMBER_ENCODED: &str = "%2B14155550123";
