//! Faults that only several keys together show.

use super::fault::Wrong;
use super::reader::Reader;
use super::{Config, DatabaseUrl, Listen};
use crate::clock::show_duration;

/// Checks keys against each other.
pub(super) fn across(config: &Config, reader: &mut Reader) {
    secret_key_on_postgres(config, reader);
    lease_outlasts_a_call(config, reader);
    timeouts_nest(config, reader);
    doors_differ(config, reader);
}

fn secret_key_on_postgres(config: &Config, reader: &mut Reader) {
    let shared = matches!(config.database_url(), DatabaseUrl::Postgres(_));
    if shared && config.node.secret_key.is_none() {
        let hint = "set POSTERN_SECRET_KEY, the same on every node; make one with: openssl rand -base64 32";
        reader.fault("secret_key", Wrong::new("is missing, and PostgreSQL needs it", hint));
    }
}

/// A lease that ends while the carrier is still being called would make the delivery look lost.
fn lease_outlasts_a_call(config: &Config, reader: &mut Reader) {
    let (lease, call) = (config.dispatch.lease, config.outbound.total_timeout);
    if lease <= call {
        let what =
            format!("= {} is not longer than outbound.total_timeout ({})", show_duration(lease), show_duration(call));
        let hint = format!("write at least {}", show_duration(call.saturating_mul(2)));
        reader.fault("dispatch.lease", Wrong::new(what, hint));
    }
}

fn timeouts_nest(config: &Config, reader: &mut Reader) {
    let (connect, total) = (config.outbound.connect_timeout, config.outbound.total_timeout);
    if connect > total {
        let what =
            format!("= {} is longer than outbound.total_timeout ({})", show_duration(connect), show_duration(total));
        reader.fault("outbound.connect_timeout", Wrong::new(what, "write a shorter one, or raise total_timeout"));
    }
}

fn doors_differ(config: &Config, reader: &mut Reader) {
    let bind = config.server.bind;
    if bind.port() != 0 && config.metrics.bind == Listen::At(bind) {
        let hint = "write another port, or \"off\"";
        reader.fault("metrics.bind", Wrong::new(format!("= \"{bind}\" is server.bind too"), hint));
    }
}
