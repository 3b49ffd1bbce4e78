//! `postern listen`: events of a running server, posted to an address on this machine as a webhook would be.

use std::time::{Duration, Instant};

use reqwest::Url;

use super::hearing::{Heard, Hearing};
use super::{remote, show};
use crate::clock::Clock;
use crate::http::outbound::read_capped;
use crate::secret::Secret;
use crate::webhooks::{fresh_secret, headers_by};

/// What to hear and where to post it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to post each event, e.g. http://localhost:3000/hooks
    #[arg(long, value_name = "URL")]
    forward_to: String,
    /// Which event types, by comma; all of them where absent (`postern trigger --list` shows them)
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    events: Vec<String>,
    /// The signing secret, whsec_…; a new one at each start where absent
    #[arg(long, env = "POSTERN_WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<String>,
    #[command(flatten)]
    server: remote::Args,
}

/// Longest time for the local application to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Most of its answer that is read, bytes; it is not shown.
const ANSWER_MAX: usize = 1024 * 1024;

/// Where events go, and how they are signed.
struct Forward {
    client: reqwest::Client,
    to: Url,
    secret: Secret<String>,
}

/// Runs the command until Ctrl-C.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let to = remote::address(&args.forward_to).map_err(|why| anyhow::anyhow!("--forward-to {why}"))?;
    let secret = args.secret.map_or_else(fresh_secret, Secret::new);
    headers_by(&secret, ("evt_", ""), Clock::System.now())
        .map_err(|_| anyhow::anyhow!("--secret must be whsec_ and base64, as `listen` prints it"))?;
    let remote = args.server.remote()?;
    let mut hearing = Hearing::begin(&remote, args.events).await?;
    let forward = Forward { client: remote::client(ANSWER_WITHIN)?, to, secret };
    show::line(format_args!(
        "Listening to {} events at {}; they are posted to {}\nSigning secret: {}\nCtrl-C ends it.",
        remote.mode(),
        remote.base(),
        forward.to,
        forward.secret.expose()
    ))?;
    let result = tokio::select! {
        result = keep_forwarding(&mut hearing, &forward) => result,
        () = remote::interrupted() => Ok(()),
    };
    hearing.end().await;
    result
}

async fn keep_forwarding(hearing: &mut Hearing<'_>, forward: &Forward) -> anyhow::Result<()> {
    loop {
        let event = hearing.next().await?;
        let begun = Instant::now();
        let outcome = forward.post(&event).await;
        let took = begun.elapsed().as_millis();
        let Heard { created_at, kind, id, .. } = &event;
        show::line(format_args!("{created_at}  {kind}  {id}  -> {outcome} in {took} ms"))?;
    }
}

impl Forward {
    /// Posts an event, signed; the answer's status, or why there is none.
    async fn post(&self, event: &Heard) -> String {
        let body = event.payload.to_string();
        let headers = match headers_by(&self.secret, (&event.id, &body), Clock::System.now()) {
            Ok(headers) => headers,
            Err(fault) => return String::from(fault.sentence()),
        };
        let request = self.client.post(self.to.clone()).header("content-type", "application/json").body(body);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                // Read only so that the connection can be used again.
                drop(read_capped(response, ANSWER_MAX).await);
                status.to_string()
            }
            Err(fault) => remote::why(&fault),
        }
    }
}
