//! `postern simulator`: a stand-in for a carrier on this machine.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use tokio::sync::watch;

use super::show;
use crate::clock::Clock;
use crate::simulator::{Settings, Simulator};
use crate::start::Signals;

/// Which one.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Meta's WhatsApp Cloud API: messages, templates, limits, errors and signed webhooks; docs/simulator.md
    Meta(Meta),
}

/// How it behaves.
#[derive(Debug, clap::Args)]
pub struct Meta {
    /// Address and port; of this machine only
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    bind: SocketAddr,
    /// Where its webhooks go
    #[arg(long, default_value = "http://127.0.0.1:8080/hooks/meta", value_name = "URL")]
    callback: String,
    /// Messages a second before it answers 130429
    #[arg(long, default_value_t = 80)]
    per_second: u32,
    /// Leave templates pending until /_sim/template reviews them
    #[arg(long)]
    manual_review: bool,
    /// Print the carrier for postern.toml that calls it, and end
    #[arg(long)]
    print_carrier: bool,
}

/// Runs the command until a signal.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let Args::Meta(args) = args;
    anyhow::ensure!(args.bind.ip().is_loopback(), "a simulator serves this machine only: bind it to 127.0.0.1");
    let settings = Settings {
        callback: Some(args.callback.clone()),
        per_second: args.per_second,
        auto_review: !args.manual_review,
        ..Settings::default()
    };
    if args.print_carrier {
        return show::line(settings.carrier_toml(&format!("http://{}", args.bind)));
    }
    let listener = TcpListener::bind(args.bind).with_context(|| format!("cannot listen on {}", args.bind))?;
    let base = format!("http://{}", listener.local_addr()?);
    let carrier = settings.carrier_toml(&base);
    let mut signals = Signals::caught()?;
    let (stop, stopping) = watch::channel(false);
    Simulator::new(settings, Clock::System)?.spawn(listener, stopping)?;
    show::line(format!("Meta's Cloud API is simulated at {base}; webhooks go to {}\n\n{carrier}", args.callback))?;
    signals.next().await;
    let _ = stop.send(true);
    Ok(())
}
