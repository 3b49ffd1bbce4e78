//! `postern org`: organizations.

use clap::Subcommand;

use super::desk::Desk;
use super::show;
use crate::accounts::{Countries, NewOrg, PlanName, create_org, list_orgs, load_org};
use crate::config::Config;
use crate::ids::OrgId;
use crate::phone::Country;

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Make an organization
    Create(Create),
    /// List organizations, newest first
    List(List),
    /// Show one organization
    Show {
        /// Its id, org_…
        id: OrgId,
    },
}

/// An organization to make.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Its name
    name: String,
    /// free, pro or enterprise
    #[arg(long, default_value = "free")]
    plan: PlanName,
    /// Where it is at home, two letters (ISO 3166)
    #[arg(long)]
    country: Country,
    /// Where it may send to: countries by comma, or * for all; its own country where absent
    #[arg(long, value_delimiter = ',')]
    countries: Vec<String>,
    /// Why, for the audit log
    #[arg(long)]
    reason: Option<String>,
}

/// Which part of a list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
    /// Only those older than this one
    #[arg(long, value_name = "ID")]
    before: Option<OrgId>,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let desk = Desk::ready(&config).await?;
    match args {
        Args::Create(new) => create(&desk, new).await,
        Args::List(List { limit, before }) => show::json(&desk.look(move |conn| list_orgs(conn, before, limit)).await?),
        Args::Show { id } => show::json(&desk.look(move |conn| load_org(conn, id)).await?),
    }
}

async fn create(desk: &Desk, args: Create) -> anyhow::Result<()> {
    let countries = match args.countries.as_slice() {
        [] => None,
        words => Some(Countries::parse(words).map_err(|why| anyhow::anyhow!("--countries {why}"))?),
    };
    let new = NewOrg { countries, ..NewOrg::named(args.name, args.plan, args.country) };
    show::json(&desk.change(args.reason, |conn, by| create_org(conn, by, new)).await?)
}
