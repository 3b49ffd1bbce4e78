//! Faults that only several keys together show.

use super::concerns::{Database, Dispatch, Metrics, Node, Outbound, Retention, Server};
use super::fault::Wrong;
use super::kinds::{DatabaseUrl, Listen};
use super::reader::Reader;
use crate::clock::show_duration;

/// On PostgreSQL the key cannot be a file of one node.
pub(super) fn shared_key(node: &Node, database: &Database, reader: &mut Reader) {
    let shared = matches!(database.url, Some(DatabaseUrl::Postgres(_)));
    if shared && node.secret_key.is_none() {
        let hint = "set POSTERN_SECRET_KEY, the same on every node; make one with: openssl rand -base64 32";
        reader.fault("secret_key", Wrong::new("is missing, and PostgreSQL needs it", hint));
    }
}

/// A lease that ends while the carrier is still being called would make the delivery look lost.
pub(super) fn lease_outlasts_a_call(dispatch: &Dispatch, outbound: &Outbound, reader: &mut Reader) {
    let (lease, call) = (dispatch.lease, outbound.total_timeout);
    if lease <= call {
        let (shown, call_shown) = (show_duration(lease), show_duration(call));
        let what = format!("= {shown} is not longer than outbound.total_timeout ({call_shown})");
        let hint = format!("write at least {}", show_duration(call.saturating_mul(2)));
        reader.fault("dispatch.lease", Wrong::new(what, hint));
    }
}

/// A connection is part of a call.
pub(super) fn connect_fits_in_a_call(outbound: &Outbound, reader: &mut Reader) {
    let (connect, total) = (outbound.connect_timeout, outbound.total_timeout);
    if connect > total {
        let (shown, total_shown) = (show_duration(connect), show_duration(total));
        let what = format!("= {shown} is longer than outbound.total_timeout ({total_shown})");
        reader.fault("outbound.connect_timeout", Wrong::new(what, "write a shorter one, or raise total_timeout"));
    }
}

/// Two doors cannot share one address.
pub(super) fn doors_differ(server: &Server, metrics: &Metrics, reader: &mut Reader) {
    let bind = server.bind;
    if bind.port() != 0 && metrics.bind == Listen::At(bind) {
        let hint = "write another port, or \"off\"";
        reader.fault("metrics.bind", Wrong::new(format!("= \"{bind}\" is server.bind too"), hint));
    }
}

/// A repeat under a key is answered from its message.
pub(super) fn messages_outlive_keys(retention: &Retention, reader: &mut Reader) {
    let (messages, keys) = (retention.messages, retention.idempotency);
    if messages < keys {
        let (shown, keys_shown) = (show_duration(messages), show_duration(keys));
        let what = format!("= {shown} is shorter than retention.idempotency ({keys_shown})");
        reader.fault("retention.messages", Wrong::new(what, format!("write at least {keys_shown}")));
    }
}
