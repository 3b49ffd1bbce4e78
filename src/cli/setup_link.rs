//! `postern setup-link`: a one-time link to the console, for the first owner or for an operator who lost their password.

use super::desk::Desk;
use super::show;
use crate::accounts::find_operator_named;
use crate::config::Config;
use crate::error::Error;
use crate::signin::{Link, first_link, invite};

/// Who the link is for.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The operator who is to choose a password; nobody: the first owner, while nobody has one
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let (ring, base) = (config.keyring()?, config.public_url().to_string());
    let desk = Desk::ready(&config).await?;
    let link = desk
        .change(None, move |conn, by| {
            let Some(name) = args.operator else {
                return first_link(conn, &ring, &base, by.now)?.ok_or_else(|| {
                    Error::field(
                        "--operator",
                        "is needed, since operators have passwords: name the one who lost theirs",
                    )
                });
            };
            let operator = find_operator_named(conn, &name)?
                .ok_or_else(|| Error::field("--operator", "names nobody; see GET /v1/admin/operators"))?;
            invite(conn, &ring, by, &base, operator.id)
        })
        .await?;
    show::line(told(&link))
}

/// The link with what it is for.
pub fn told(link: &Link) -> String {
    let what = match link.operator_id {
        Some(_) => "To choose a password",
        None => "No operator has a password yet. To make the first owner",
    };
    format!("{what}, open this within 24 hours; it works once:\n\n  {}\n", link.url)
}
