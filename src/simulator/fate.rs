//! What becomes of a message: its statuses, by the recipient's last six digits. Pure.
//!
//! | the number ends with | what happens |
//! |---|---|
//! | a code of Meta's, such as 131026 | accepted, then `failed` with that code |
//! | 000001 | `sent`, `delivered`, never `read` |
//! | 000002 | `sent`, then silence |
//! | 000003 | silence: no status at all |
//! | 000004 | `sent`, then `read` without `delivered` |
//! | 000005 | `delivered`, then `failed`: two devices |
//! | 000006 | `read`, `delivered`, `sent`: the wrong way round |
//! | 000007 | the user hides the number: webhooks have a user id only |
//! | 000008 | held for quality assessment, then failed with 132015 |
//! | anything else | `sent`, `delivered`, `read` |

use serde_json::Value;

use super::errors::{self, Fault};
use super::send::Asked;
use super::webhook::{self, About};
use super::world::{Effect, Place, World};
use crate::clock::Millis;

/// How long after a user's last message free text may go.
const SESSION_MS: i64 = 86_400_000;

/// Whether the user with these digits keeps the number from businesses.
pub fn is_hidden(digits: &str) -> bool {
    digits.ends_with("000007")
}

/// Puts the statuses of the message `id` among the webhooks; whether it is held for assessment.
pub fn decide(world: &mut World, asked: &Asked, id: &str, now: Millis) -> bool {
    let ending = asked.to.get(asked.to.len().saturating_sub(6)..).unwrap_or_default();
    let code = ending.parse::<i64>().ok().filter(|code| *code > 1_000 && errors::is_known(*code));
    let planned = world.planned(Place::Status, &asked.to).or(code.map(Fault::of));
    if let Some(fault) = planned.or_else(|| closed_session(world, asked, now)) {
        tell(world, asked, id, ("failed", Some(&fault)), now);
        return false;
    }
    let steps: &[&'static str] = match ending {
        "000001" => &["sent", "delivered"],
        "000002" => &["sent"],
        "000003" => &[],
        "000004" => &["sent", "read"],
        "000006" => &["read", "delivered", "sent"],
        "000005" => {
            tell(world, asked, id, ("delivered", None), now);
            tell(world, asked, id, ("failed", Some(&Fault::of(131_026))), now);
            return false;
        }
        "000008" => {
            tell(world, asked, id, ("failed", Some(&Fault::of(132_015))), now);
            return true;
        }
        _ => &["sent", "delivered", "read"],
    };
    for step in steps {
        tell(world, asked, id, (step, None), now);
    }
    false
}

/// Free text to somebody who has not written in the last 24 hours is accepted, and fails.
fn closed_session(world: &mut World, asked: &Asked, now: Millis) -> Option<Fault> {
    let wrote_at = world.user(&asked.to).wrote_at;
    let is_open = wrote_at.is_some_and(|at| now.0 - at.0 < SESSION_MS);
    let details = "Message failed to send because more than 24 hours have passed since the customer last replied to \
                   this number.";
    (asked.template.is_none() && !is_open).then(|| Fault::because(131_047, details))
}

fn tell(world: &mut World, asked: &Asked, id: &str, (status, fault): (&'static str, Option<&Fault>), now: Millis) {
    let pace = world.settings.pace;
    let wait = match status {
        "delivered" => pace.delivered,
        "read" => pace.read,
        _ => pace.sent,
    };
    let (at, user) = (now.plus(wait), world.user(&asked.to).clone());
    let about = About { id, to: &asked.to, user: &user, status, at, fault };
    let entry: Value = webhook::status(&world.settings, &about, asked);
    world.tell(at, entry, Effect::Status(String::from(id), status));
}
