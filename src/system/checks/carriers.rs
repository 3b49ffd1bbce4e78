//! The carriers: each by name, whether it can be reached and lets us in. None is handed a message.

use super::Finding;
use crate::clock::Clock;
use crate::config::{CarrierKind, Config};
use crate::providers::{Probe, probe_carriers};

/// Looks at every carrier that reaches anybody.
pub async fn examine(config: &Config) -> Vec<Finding> {
    if config.carriers.iter().all(|carrier| matches!(carrier.kind, CarrierKind::Sandbox)) {
        let found = "only the sandbox: no message reaches anybody";
        return vec![Finding::warn("carriers", found, "add [[carriers]] to postern.toml")];
    }
    let found = |(name, kind, probe): (String, &str, Probe)| {
        let about = format!("carrier {name} ({kind})");
        match probe {
            Probe::LetIn(found) | Probe::Reached(found) => Finding::ok(about, found),
            Probe::Odd(found) => Finding::warn(about, found, "see the carrier's own pages"),
            Probe::Failed(found, hint) => Finding::fail(about, found, hint),
        }
    };
    let probed = probe_carriers(config, &Clock::System).await;
    probed.into_iter().map(|(known, probe)| found((known.name.clone(), known.kind.as_str(), probe))).collect()
}
