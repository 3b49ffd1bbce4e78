//! `postern serve`: the production form; and the part of it that `work` and `dev` share.

use std::net::SocketAddr;

use crate::clock::Clock;
use crate::config::{Config, Role, Source};
use crate::start::{self, Signals};

/// How to serve.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// What this process does: all, api or worker [env: POSTERN_ROLE]
    #[arg(long)]
    role: Option<Role>,
    /// Address and port of the API [env: POSTERN_BIND]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
}

impl Args {
    /// The source with what the command line says over file and environment.
    pub fn over(&self, source: Source) -> Source {
        let source = match self.role {
            Some(role) => source.with_variable("POSTERN_ROLE", role.as_str()),
            None => source,
        };
        match self.bind {
            Some(bind) => source.with_variable("POSTERN_BIND", &bind.to_string()),
            None => source,
        }
    }
}

/// Runs the command: starts everything, and ends after a signal once requests and hand-offs under way are finished.
pub async fn run(config: Config, _args: Args) -> anyhow::Result<()> {
    // Asked for here as well, so that a key that cannot be used counts as bad configuration.
    config.keyring()?;
    let app = start::wire(config, Clock::System).await?;
    let signals = Signals::caught()?;
    let running = start::run(app).await?;
    tracing::info!(
        address = running.address.map(tracing::field::display),
        metrics.address = running.metrics_address.map(tracing::field::display),
        role = %running.app.config.node.role,
        version = env!("CARGO_PKG_VERSION"),
        "postern is up"
    );
    running.until_signal(signals).await;
    Ok(())
}
