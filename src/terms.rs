//! The field's closed words that several rooms share.

crate::text_enum! {
    /// How a message travels.
    pub enum Channel { Sms = "sms", Whatsapp = "whatsapp", Email = "email" }
}

crate::text_enum! {
    /// What a message is for. OTP guards apply to `otp`, opt-outs to the other two.
    pub enum Kind { Otp = "otp", Transactional = "transactional", Marketing = "marketing" }
}

crate::text_enum! {
    /// Which world a key acts in: real carriers and money, or the sandbox and test money.
    pub enum Mode { Live = "live", Test = "test" }
}

crate::text_enum! {
    /// How the text endpoint of activation clients answers what is no success.
    pub enum Statuses {
        /// 200 for everything; the status it stands for is in `X-Activation-Status`.
        Always200 = "always_200",
        /// The status itself.
        Mapped = "mapped",
    }
}

impl Kind {
    /// The dispatch lane: OTPs first, then the rest; bulk sends are one lane further back.
    pub fn lane(self, bulk: Bulk) -> i16 {
        let base = match self {
            Kind::Otp => 0,
            Kind::Transactional => 1,
            Kind::Marketing => 2,
        };
        if bulk == Bulk::Yes { base.max(2) } else { base }
    }
}

/// Whether a message came in a bulk request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// One of many.
    Yes,
    /// On its own.
    No,
}
