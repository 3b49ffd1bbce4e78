//! The status machine of a message: the one place that says what may follow what.

use crate::providers::ReceiptState;

crate::text_enum! {
    /// Where a message is.
    pub enum Status as "MessageStatus" {
        Scheduled = "scheduled",
        Queued = "queued",
        Sending = "sending",
        Sent = "sent",
        Delivered = "delivered",
        Undelivered = "undelivered",
        Failed = "failed",
        Expired = "expired",
        Canceled = "canceled",
        Unknown = "unknown",
    }
}

crate::text_enum! {
    /// What became of the price that was held.
    pub enum Hold {
        /// It costs nothing.
        None = "none",
        /// Spoken for, to be charged when a carrier takes it.
        Held = "held",
        /// Spoken for, to be charged when it is known to be delivered.
        ForDelivery = "for_delivery",
        /// Charged.
        Settled = "settled",
        /// Let go.
        Released = "released",
    }
}

impl Status {
    /// Whether nothing will change any more, but for a late receipt of what was sent.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Delivered | Status::Undelivered | Status::Failed | Status::Expired | Status::Canceled)
    }

    /// Whether an accepted message can still be called back.
    pub fn is_cancelable(self) -> bool {
        matches!(self, Status::Scheduled | Status::Queued)
    }

    /// The status after a receipt; `None` where it changes nothing. Late, repeated and reordered receipts never move a
    /// status back: what the handset has stays delivered, and only `unknown` and `sending` can still learn of a sending.
    pub fn after_receipt(self, receipt: ReceiptState) -> Option<Status> {
        let next = match receipt {
            ReceiptState::Sent => Status::Sent,
            ReceiptState::Delivered => Status::Delivered,
            ReceiptState::Undelivered => Status::Undelivered,
            ReceiptState::Failed => Status::Failed,
        };
        let open = matches!(self, Status::Sending | Status::Unknown) || (self == Status::Sent && next != Status::Sent);
        // Some networks report a failure and then the delivery that succeeded after it.
        let better = matches!(self, Status::Undelivered | Status::Failed) && next == Status::Delivered;
        (open || better).then_some(next)
    }
}

impl Hold {
    /// Whether the price is still spoken for.
    pub fn is_open(self) -> bool {
        matches!(self, Hold::Held | Hold::ForDelivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIPTS: [ReceiptState; 4] =
        [ReceiptState::Sent, ReceiptState::Delivered, ReceiptState::Undelivered, ReceiptState::Failed];

    #[test]
    fn a_delivered_message_stays_delivered() {
        assert!(RECEIPTS.iter().all(|receipt| Status::Delivered.after_receipt(*receipt).is_none()));
    }

    #[test]
    fn receipts_settle_the_unknown_and_never_wake_the_ended() {
        assert_eq!(Status::Unknown.after_receipt(ReceiptState::Sent), Some(Status::Sent));
        assert_eq!(Status::Sent.after_receipt(ReceiptState::Sent), None);
        assert_eq!(Status::Failed.after_receipt(ReceiptState::Delivered), Some(Status::Delivered));
        for ended in [Status::Canceled, Status::Expired, Status::Queued, Status::Scheduled] {
            assert!(RECEIPTS.iter().all(|receipt| ended.after_receipt(*receipt).is_none()), "{ended}");
        }
    }

    #[test]
    fn any_order_of_receipts_with_a_delivery_ends_delivered() {
        for first in RECEIPTS {
            for second in RECEIPTS {
                let mut status = Status::Sending;
                for receipt in [first, second, ReceiptState::Delivered, first, second] {
                    status = status.after_receipt(receipt).unwrap_or(status);
                }
                assert_eq!(status, Status::Delivered);
            }
        }
    }
}
