//! An attempt on its way through the accepting transaction, and the engine's word on it.

use std::sync::Arc;

use super::book::RuleSet;
use super::engine::{Event, Features, Key, Node};
use super::kept::Kept;
use super::screen::{Action, Reason};
use super::watch::{Owner, Watch};
use crate::clock::Millis;
use crate::error::Code;
use crate::ids::{DecisionId, OrgId};
use crate::terms::Mode;

/// An attempt that the engine will judge.
pub struct Trial {
    /// The engine.
    pub watch: Arc<Watch>,
    /// The attempt.
    pub features: Features,
    /// The rules that it is judged by.
    pub set: Arc<RuleSet>,
    /// Whose it is.
    pub owner: Owner,
    /// Its decision.
    pub decision: DecisionId,
    /// Whether a challenge may be met: the attempt goes by a channel that pays no attacker, and only falls back to SMS.
    pub is_fallback: bool,
}

/// The engine's word on an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What happens.
    pub action: Action,
    /// The rules that fired, shadow ones too.
    pub reasons: Vec<Reason>,
    /// What the decision keeps.
    pub kept: Kept,
    /// The hold that the attempt probes.
    probe: Option<Node>,
}

/// How the engine tells organizations apart. A code that the platform made is answered by a check; for one that the
/// caller made somebody must give feedback. Of the first silence is evidence, of the second only where feedback is given:
/// they are two worlds.
pub fn org_key(org: OrgId, mode: Mode, is_verification: bool) -> Key {
    Key::of(&format!("{org}\n{mode}\n{}", if is_verification { "verification" } else { "message" }))
}

impl Trial {
    /// Judges the attempt; with `learns` a hold that it asks for begins.
    pub fn judge(&self, learns: bool, now: Millis) -> Judged {
        let verdict = if learns {
            self.watch.judge((self.owner, self.decision), &self.features, &self.set.rules, now)
        } else {
            self.watch.look(&self.features, &self.set.rules, now)
        };
        if learns && verdict.shadow != Action::Allow {
            let mode = if verdict.action == Action::Allow { "shadow" } else { "enforce" };
            let labels = [("action", verdict.shadow.as_str()), ("mode", mode)];
            metrics::counter!("postern_fraud_verdicts_total", &labels).increment(1);
        }
        let kept = Kept::of(&self.features, &verdict, &self.set);
        Judged { action: verdict.action, reasons: verdict.reasons, kept, probe: verdict.probe }
    }

    /// The message was let through all its gates.
    pub fn passed(&self, judged: &Judged, now: Millis) {
        // Other processes read it from the database; this one knows it.
        self.watch.is_new(self.decision.as_str(), now);
        let event = Event::Accepted(Box::new(self.features.clone()), judged.probe);
        self.watch.observe(event, &self.set.rules, now);
    }

    /// It was let through at `at`, and then its request was refused whole.
    pub fn withdrawn(&self, at: Millis) {
        let event = Event::Withdrawn(Box::new(self.features.clone()), at);
        self.watch.observe(event, &self.set.rules, at);
    }
}

impl Judged {
    /// What the client is told where the message is refused.
    pub fn refusal(&self) -> Option<Code> {
        match self.action {
            Action::Allow => None,
            Action::Challenge => Some(Code::FraudChallengeRequired),
            Action::Block => Some(Code::FraudBlocked),
        }
    }
}
