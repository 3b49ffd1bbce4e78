//! What the status of a submit_sm_resp means for the message (SMPP 3.4, section 5.1.3).

use std::time::Duration;

use crate::providers::RefusalKind;

/// ESME_ROK.
pub const OK: u32 = 0;
/// ESME_RSYSERR.
pub const SYSTEM_ERROR: u32 = 0x08;
/// ESME_RMSGQFUL: the carrier's queue is full.
pub const QUEUE_FULL: u32 = 0x14;
/// ESME_RTHROTTLED: we are too fast.
pub const THROTTLED: u32 = 0x58;

/// What one who is too fast waits at least.
pub const THROTTLED_WAIT: Duration = Duration::from_secs(1);
/// What a full queue is given.
pub const QUEUE_FULL_WAIT: Duration = Duration::from_secs(5);

/// What may be done about a status that is not OK, and our word for it. A status says that the carrier does not have
/// the message; what is unknown may be of this carrier's own making, so another route may try.
pub fn meaning(status: u32) -> (RefusalKind, &'static str) {
    match status {
        THROTTLED => (RefusalKind::Throttled(THROTTLED_WAIT), "provider.throttled"),
        QUEUE_FULL => (RefusalKind::Throttled(QUEUE_FULL_WAIT), "provider.throttled"),
        // RSYSERR, RX_T_APPN and RDELIVERYFAILURE: at fault is the carrier.
        SYSTEM_ERROR | 0x64 | 0xFE => (RefusalKind::Route, "provider.unavailable"),
        // Not bound for it, bind failed, password, system id, system type.
        0x04 | 0x05 | 0x0D | 0x0E | 0x0F | 0x53 => (RefusalKind::Route, "provider.auth"),
        // RINVDSTADR, and type and plan of the recipient.
        0x0B | 0x50 | 0x51 => (RefusalKind::Final, "recipient.invalid"),
        _ => (RefusalKind::Route, "provider.rejected"),
    }
}

/// The status's name, for metrics and the record.
pub fn name(status: u32) -> &'static str {
    match status {
        OK => "ROK",
        0x01 => "RINVMSGLEN",
        0x02 => "RINVCMDLEN",
        0x03 => "RINVCMDID",
        0x04 => "RINVBNDSTS",
        0x05 => "RALYBND",
        SYSTEM_ERROR => "RSYSERR",
        0x0A => "RINVSRCADR",
        0x0B => "RINVDSTADR",
        0x0D => "RBINDFAIL",
        0x0E => "RINVPASWD",
        0x0F => "RINVSYSID",
        QUEUE_FULL => "RMSGQFUL",
        0x15 => "RINVSERTYP",
        0x43 => "RINVESMCLASS",
        0x45 => "RSUBMITFAIL",
        0x48 => "RINVSRCTON",
        0x49 => "RINVSRCNPI",
        0x50 => "RINVDSTTON",
        0x51 => "RINVDSTNPI",
        0x53 => "RINVSYSTYP",
        THROTTLED => "RTHROTTLED",
        0x61 => "RINVSCHED",
        0x62 => "RINVEXPIRY",
        0x64 => "RX_T_APPN",
        0x65 => "RX_P_APPN",
        0x66 => "RX_R_APPN",
        0xFE => "RDELIVERYFAILURE",
        0xFF => "RUNKNOWNERR",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_recipients_fault_is_final_and_only_haste_waits() {
        for status in 1..=0x1_000 {
            let (kind, code) = meaning(status);
            assert_eq!(kind == RefusalKind::Final, code == "recipient.invalid", "{status:#x}");
            assert_eq!(matches!(kind, RefusalKind::Throttled(_)), [0x14, 0x58].contains(&status), "{status:#x}");
        }
        assert_eq!(meaning(0x0B), (RefusalKind::Final, "recipient.invalid"));
        assert_eq!(meaning(0x0E), (RefusalKind::Route, "provider.auth"));
        assert_eq!(meaning(0x0A), (RefusalKind::Route, "provider.rejected"));
        assert_eq!(meaning(0x08), (RefusalKind::Route, "provider.unavailable"));
    }
}
