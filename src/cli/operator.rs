//! `postern operator`: the people who run the platform.

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::show;
use crate::accounts::{NewOperator, OperatorView, Role, TokenTerms, create_operator, create_operator_token};
use crate::config::Config;

/// What to do with operators.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Add an operator and make a token, which is shown once
    Create {
        /// The operator's name
        name: String,
        /// viewer, support, operator, owner or auditor
        #[arg(long)]
        role: Role,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
    },
}

/// An operator just added.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    operator: &'a OperatorView,
    token: &'a str,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let desk = Desk::ready(&config).await?;
    let Args::Create { name, role, reason } = args;
    let new = NewOperator { name, role, reason: None };
    let (operator, token) = desk
        .change(reason, |conn, by| {
            let operator = create_operator(conn, by, new)?;
            let (_, token) = create_operator_token(conn, by, operator.id, TokenTerms::default())?;
            Ok((operator, token))
        })
        .await?;
    show::json(&Made { operator: &operator, token: token.expose() })
}
