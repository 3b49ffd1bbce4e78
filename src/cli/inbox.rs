//! `postern inbox`: what the sandbox's handsets and mailboxes show.

use super::desk::Desk;
use super::show;
use crate::accounts::list_orgs;
use crate::config::Config;
use crate::ids::OrgId;
use crate::providers::sandbox;
use crate::terms::Mode;

/// Which messages to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those to this number (E.164) or mail address
    #[arg(long)]
    to: Option<String>,
    /// The organization, org_…; may be absent where there is only one
    #[arg(long)]
    org: Option<OrgId>,
    /// Messages of test or of live keys (a live key reaches the sandbox where a route says so)
    #[arg(long, default_value = "test")]
    mode: Mode,
    /// How many at most, newest first
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let desk = Desk::ready(&config).await?;
    let org = match args.org {
        Some(org) => org,
        None => only_org(&desk).await?,
    };
    let Args { to, mode, limit, .. } = args;
    show::json(&desk.look(move |conn| sandbox::inbox(conn, org, mode, to.as_deref(), limit)).await?)
}

async fn only_org(desk: &Desk) -> anyhow::Result<OrgId> {
    let orgs = desk.look(|conn| list_orgs(conn, None, 2)).await?;
    match orgs.as_slice() {
        [only] => Ok(only.id),
        [] => anyhow::bail!("there is no organization yet; make one with: postern org create"),
        _ => anyhow::bail!("there are several organizations; name one with --org"),
    }
}
