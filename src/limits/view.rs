//! All verdicts on one request: the one thing that headers, errors and logs are rendered from.

use std::time::Duration;

use crate::clock::Millis;
use crate::limits::{Policy, Verdict};

/// Verdicts a view holds inline; a request has eight rules at most today.
pub const MAX_RULES: usize = 16;

/// The verdicts of one decision, in the order of the rules. Lives on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View([Option<Verdict>; MAX_RULES]);

impl View {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        View::default()
    }

    /// Adds a verdict. A full view keeps what binds most, so that a denial is never lost.
    pub fn push(&mut self, verdict: Verdict) {
        match self.0.iter_mut().find(|slot| slot.is_none()) {
            Some(free) => *free = Some(verdict),
            None => self.replace_least(verdict),
        }
    }

    fn replace_least(&mut self, verdict: Verdict) {
        let mut pushed = verdict;
        for kept in self.0.iter_mut().flatten() {
            if pushed.binds_more_than(kept) {
                std::mem::swap(kept, &mut pushed);
            }
        }
    }

    /// Adds every verdict of `other`.
    pub fn extend(&mut self, other: &View) {
        for verdict in other.iter() {
            self.push(*verdict);
        }
    }

    /// Adds what `other` says with one verdict a policy: of two the one that binds more stays, in the place of the first.
    pub fn merge(&mut self, other: &View) {
        for verdict in other.iter() {
            match self.0.iter_mut().flatten().find(|kept| kept.policy == verdict.policy) {
                Some(kept) if verdict.binds_more_than(kept) => *kept = *verdict,
                Some(_) => {}
                None => self.push(*verdict),
            }
        }
    }

    /// The verdicts, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().flatten()
    }

    /// What `policy` said, if it was asked.
    pub fn find(&self, policy: Policy) -> Option<&Verdict> {
        self.iter().find(|verdict| verdict.policy == policy)
    }

    /// Whether no policy was asked.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether any policy refuses.
    pub fn denied(&self) -> bool {
        self.iter().any(Verdict::denied)
    }

    /// The verdict to show: the denied one with the longest wait, else the one with the smallest share left.
    pub fn binding(&self) -> Option<&Verdict> {
        self.iter().reduce(|first, next| if next.binds_more_than(first) { next } else { first })
    }

    /// The longest wait over the policies that refuse; `None` where all pass.
    pub fn wait(&self) -> Option<Duration> {
        self.iter().filter_map(|verdict| verdict.wait).max()
    }

    /// Notes that the request was counted at `now` by the policies whose verdict `counted` accepts.
    pub fn mark_taken(&mut self, now: Millis, counted: impl Fn(&Verdict) -> bool) {
        for verdict in self.0.iter_mut().flatten() {
            if counted(verdict) {
                *verdict = verdict.taken(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: Policy, used: u64, limit: u64) -> Verdict {
        Verdict { policy, limit, window: Duration::from_secs(60), used, reset_at: Millis(60_000), wait: None }
    }

    fn denied(policy: Policy, wait_ms: u64) -> Verdict {
        Verdict { wait: Some(Duration::from_millis(wait_ms)), ..verdict(policy, 5, 5) }
    }

    #[test]
    fn the_smallest_share_binds_where_all_pass() {
        let mut view = View::new();
        view.push(verdict(Policy::OrgMinute, 300, 600));
        view.push(verdict(Policy::KeyMinute, 50, 60));
        view.push(verdict(Policy::BandRead, 50, 300));
        assert_eq!(view.binding().map(|v| v.policy), Some(Policy::KeyMinute));
        assert!(!view.denied());
        assert_eq!(view.wait(), None);
    }

    #[test]
    fn the_longest_wait_binds_where_some_refuse() {
        let mut view = View::new();
        view.push(verdict(Policy::OrgMinute, 600, 600));
        view.push(denied(Policy::KeyBurstShort, 300));
        view.push(denied(Policy::KeyMinute, 20_000));
        view.push(denied(Policy::BandSend, 1_000));
        assert_eq!(view.binding().map(|v| v.policy), Some(Policy::KeyMinute));
        assert_eq!(view.wait(), Some(Duration::from_secs(20)));
    }

    #[test]
    fn many_views_merge_into_one_verdict_a_policy() {
        let mut merged = View::new();
        merged.push(verdict(Policy::KeyMinute, 1, 60));
        for used in (0..200).chain([0, 5]) {
            let mut view = View::new();
            view.push(verdict(Policy::OtpNumber, used % 3, 3));
            view.push(verdict(Policy::SmsPlan, used, 300));
            merged.merge(&view);
        }
        let shown: Vec<(Policy, u64)> = merged.iter().map(|v| (v.policy, v.used)).collect();
        assert_eq!(shown, [(Policy::KeyMinute, 1), (Policy::OtpNumber, 2), (Policy::SmsPlan, 199)]);
    }

    #[test]
    fn a_full_view_never_loses_a_denial() {
        let mut view = View::new();
        for _ in 0..MAX_RULES {
            view.push(verdict(Policy::OrgMinute, 1, 600));
        }
        view.push(denied(Policy::KeyMinute, 500));
        assert!(view.denied());
        assert_eq!(view.iter().count(), MAX_RULES);
    }
}
