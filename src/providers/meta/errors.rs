//! Meta's error codes. Titles and texts change, codes stay.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>. Pure.

use crate::providers::http_api::{AUTH, BAD_RECIPIENT, OPTED_OUT, REJECTED, UNAVAILABLE, Verdict};

/// How long a number rests that Meta finds to be spamming, seconds.
const PAUSE_S: u64 = 300;

/// What a code means for the message; `None` for one that this build has never seen.
pub fn verdict_of(code: i64) -> Option<Verdict> {
    Some(match code {
        // Credentials, permissions, a locked account, a payment that failed, a number that is not registered.
        0 | 3 | 10 | 190 | 200..=299 | 131_005 | 131_031 | 368 | 130_497 | 131_042 | 133_010 => AUTH,
        4 | 80_007 | 130_429 => Verdict::Busy,
        131_048 | 131_064 => Verdict::Wait(PAUSE_S),
        // One recipient's limit: the number as such is well, so the carrier is not made to wait.
        131_056 => Verdict::Final("whatsapp.pair_limit"),
        131_026 | 131_021 | 131_030 | 131_062 => BAD_RECIPIENT,
        131_047 => Verdict::Final("whatsapp.session_closed"),
        131_050 => OPTED_OUT,
        131_049 | 130_472 | 131_063 => Verdict::Final("provider.rejected"),
        132_001 | 132_007 | 132_015 | 132_016 => Verdict::Final("template.not_approved"),
        100 | 131_008 | 131_009 | 131_051 | 132_000 | 132_005 | 132_012 => REJECTED,
        131_016 | 131_057 | 133_004 => UNAVAILABLE,
        // "Something went wrong": whether before or after the message left is not said.
        131_000 => Verdict::Unclear,
        _ => return None,
    })
}
