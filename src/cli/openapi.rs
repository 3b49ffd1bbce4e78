//! `postern openapi`: the OpenAPI document, without a server.

use super::show;
use crate::openapi::document;

/// Which document to print.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address that the document names as its server
    #[arg(long, default_value = "/", value_name = "URL")]
    server: String,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    show::json(&document(&args.server))
}
