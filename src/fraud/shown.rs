//! What a customer is told of a reason: enough to answer its own user, not enough to teach an attacker where the line is.

use super::screen::Reason;

/// The engine's rules, and what a customer is told of each. Limits and lists are told whole: they are published, or the
/// customer's own.
const TOLD: &[(&str, &str)] = &[
    ("number.unverified", "codes to this number are not typed"),
    ("destination.price", "an expensive destination"),
    ("prefix.conversion", "codes to numbers like this one are not typed"),
    ("prefix.sequence", "numbers like this one are asked for one after the other"),
    ("prefix.volume", "many more codes than usual to numbers like this one"),
    ("network.conversion", "codes asked for by this network or device are not typed"),
    ("verify.shape", "codes to numbers like this one are typed as by a machine"),
    ("prefix.hold", "numbers like this one are held for a while"),
];

/// Reasons as a customer may see them.
pub fn for_customer(reasons: Vec<Reason>) -> Vec<Reason> {
    reasons.into_iter().map(shown).collect()
}

fn shown(reason: Reason) -> Reason {
    match TOLD.iter().find(|(rule, _)| *rule == reason.rule) {
        Some((_, told)) => {
            Reason { observed: String::from(*told), limit: None, window_s: None, evidence: None, ..reason }
        }
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_sees_which_rule_and_until_when_and_no_threshold() {
        let until = Some(crate::clock::Millis(9));
        let own = Reason {
            limit: Some(6),
            evidence: Some(String::from("+3.1")),
            until,
            ..Reason::enforced("prefix.conversion", "0 of 9 verified")
        };
        let shown = for_customer(vec![own.clone(), Reason { limit: Some(3), ..Reason::enforced("otp.number", 3) }]);
        assert_eq!((shown[0].limit, shown[0].evidence.as_deref(), shown[0].until), (None, None, until));
        assert!(!shown[0].observed.contains('9'));
        assert_eq!(shown[1].limit, Some(3));
    }
}
