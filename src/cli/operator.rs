//! `postern operator`: the people who run the platform.

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::show;
use crate::accounts::{
    NewOperator, OperatorView, Role, TokenTerms, create_operator, create_operator_token, find_operator_named,
};
use crate::config::Config;
use crate::error::Error;
use crate::signin::remove_second_factor;

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
    /// Take away the second factor of an operator who lost it; their sessions end. The way back in for the last owner
    RemoveSecondFactor {
        /// The operator's name
        name: String,
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
    match args {
        Args::Create { name, role, reason } => create(&desk, name, role, reason).await,
        Args::RemoveSecondFactor { name, reason } => {
            let operator = desk
                .change(reason, move |conn, by| {
                    let none = |why| Error::field("name", why);
                    let operator = find_operator_named(conn, &name)?
                        .ok_or_else(|| none("names nobody; see GET /v1/admin/operators"))?;
                    let was_there = remove_second_factor(conn, by, operator.id)?;
                    was_there.then_some(operator).ok_or_else(|| none("is of an operator without a second factor"))
                })
                .await?;
            show::json(&operator)
        }
    }
}

async fn create(desk: &Desk, name: String, role: Role, reason: Option<String>) -> anyhow::Result<()> {
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
