//! `postern trigger`: an event of a type, made up, told as a real one is.

use serde_json::{Map, Value, json};

use super::{remote, show};
use crate::webhooks::EventType;

/// What to make up.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The event's type, e.g. message.delivered
    #[arg(value_name = "EVENT", required_unless_present = "list")]
    event: Option<String>,
    /// A member of its data, as key=value; the key may be a path (metadata.order=7), the value JSON or a text
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the types, one a line, and end
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    server: remote::Args,
}

/// Runs the command.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if args.list {
        return EventType::ALL.iter().filter(|kind| kind.is_subscribable()).try_for_each(show::line);
    }
    let mut data = Map::new();
    for pair in &args.set {
        let (path, value) = pair.split_once('=').ok_or_else(|| anyhow::anyhow!("--set takes key=value, not {pair}"))?;
        put(&mut data, path, value)?;
    }
    let remote = args.server.remote()?;
    let made = remote.post("/v1/sandbox/events", &json!({ "type": args.event, "data": data })).await?;
    if ["endpoints", "listeners"].iter().all(|who| made.get(who).and_then(Value::as_u64) == Some(0)) {
        eprintln!(
            "postern: nobody listens to it; `postern listen --forward-to URL` does, or an endpoint for test events"
        );
    }
    show::json(&made)
}

/// Puts `text` at `path` in `data`: as JSON where it is some, else as a text.
fn put(data: &mut Map<String, Value>, path: &str, text: &str) -> anyhow::Result<()> {
    anyhow::ensure!(path.split('.').all(|name| !name.is_empty()), "--set takes key=value, and {path} is no key");
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    match path.split_once('.') {
        None => {
            data.insert(String::from(path), value);
            Ok(())
        }
        Some((name, rest)) => match data.entry(name).or_insert_with(|| json!({})) {
            Value::Object(inner) => put(inner, rest, text),
            _ => anyhow::bail!("--set {path}: {name} was set to a value of its own"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_members_at_their_paths() {
        let mut data = Map::new();
        for (path, text) in [("to", "+44•••"), ("segments", "2"), ("metadata.order", "\"7\""), ("metadata.n", "null")]
        {
            put(&mut data, path, text).unwrap();
        }
        let told = json!({"to": "+44•••", "segments": 2, "metadata": {"order": "7", "n": null}});
        assert_eq!(Value::Object(data.clone()), told);
        assert!(put(&mut data, "to.x", "1").is_err() && put(&mut data, "a..b", "1").is_err());
    }
}
