//! Meta's error codes and what each asks of us, in an answer and in a failed status alike. Titles and texts change, codes
//! stay. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>. Pure.

use crate::providers::TemplateState;
use crate::providers::http_api::{BAD_RECIPIENT, OPTED_OUT, REJECTED, UNAVAILABLE, Verdict};

/// How long a number rests that Meta finds to be spamming, seconds.
const PAUSE_S: u64 = 300;

/// An operator has to look: credentials, permissions, a locked account, a payment, a number that is not registered.
const STOP: Verdict = Verdict::Stop("provider.auth");

/// What a code means for the message and for the number; `None` for one that this build has never seen.
pub fn verdict_of(code: i64) -> Option<Verdict> {
    Some(match code {
        0 | 3 | 10 | 190 | 200..=299 | 131_005 | 131_031 | 368 | 131_042 | 133_010 => STOP,
        // The account may not write to people of one country: others are reached as before, so the route rests, not the
        // number.
        130_497 => Verdict::Route("provider.rejected"),
        4 | 80_007 | 130_429 => Verdict::Busy,
        131_048 | 131_064 => Verdict::Wait(PAUSE_S),
        131_056 => Verdict::Pair,
        131_026 | 131_021 | 131_030 | 131_062 => BAD_RECIPIENT,
        131_047 => Verdict::Final("whatsapp.session_closed"),
        131_050 => OPTED_OUT,
        131_049 | 130_472 | 131_063 => Verdict::Final("provider.rejected"),
        // Of this name and language there is none any more, it is stopped for good, or for a while.
        132_001 | 132_016 => Verdict::Template(TemplateState::Disabled),
        132_015 => Verdict::Template(TemplateState::Paused),
        // Its words break a rule: a webhook says what becomes of it.
        132_007 => Verdict::Final("template.not_approved"),
        100 | 131_008 | 131_009 | 131_051 | 132_000 | 132_005 | 132_012 => REJECTED,
        131_016 | 131_057 | 133_004 => UNAVAILABLE,
        // "Something went wrong": an answer does not say whether before or after the message left; a failed status does.
        131_000 => Verdict::Unclear,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Cause;
    use crate::providers::RefusalKind::{self, Final, Pair, Route, Stop, Template, Throttled};
    use std::time::Duration;

    const fn busy(seconds: u64) -> RefusalKind {
        Throttled(Duration::from_secs(seconds))
    }

    /// Codes, what is done, our word: one row for each of Meta's rows.
    const ACTIONS: &[(&[i64], RefusalKind, &str)] = &[
        (&[0, 190], Stop, "provider.auth"),
        (&[3, 10, 200, 250, 299, 131_005], Stop, "provider.auth"),
        (&[131_031, 368, 131_042, 133_010], Stop, "provider.auth"),
        (&[130_497], Route, "provider.rejected"),
        (&[4, 80_007, 130_429], busy(5), "provider.throttled"),
        (&[131_048, 131_064], busy(300), "provider.throttled"),
        (&[131_056], Pair, "whatsapp.pair_limit"),
        (&[131_026, 131_021, 131_030, 131_062], Final, "recipient.invalid"),
        (&[131_047], Final, "whatsapp.session_closed"),
        (&[131_050], Final, "recipient.opted_out"),
        (&[131_049, 130_472, 131_063], Final, "provider.rejected"),
        (&[132_007], Final, "template.not_approved"),
        (&[132_001, 132_016], Template(TemplateState::Disabled), "template.not_approved"),
        (&[132_015], Template(TemplateState::Paused), "template.not_approved"),
        (&[100, 131_008, 131_009, 131_051, 132_000, 132_005, 132_012], Route, "provider.rejected"),
        (&[131_016, 131_057, 133_004, 131_000], Route, "provider.unavailable"),
    ];

    #[test]
    fn every_code_that_we_know_has_its_action() {
        for (codes, kind, word) in ACTIONS {
            for code in *codes {
                let cause = verdict_of(*code).map(Verdict::cause);
                assert_eq!(cause, Some(Cause { kind: *kind, code: word }), "{code}");
            }
        }
        let known: usize = ACTIONS.iter().map(|(codes, ..)| codes.len()).sum();
        let answered = (-1..140_000).filter(|code| !(200..300).contains(code) && verdict_of(*code).is_some()).count();
        assert_eq!(answered, known - 3, "a code without a row");
        assert_eq!(verdict_of(139_999), None);
    }
}
