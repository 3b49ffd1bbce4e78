//! How a message travels and what it is for: words that carriers, prices, limits and templates share.

crate::text_enum! {
    /// How a message travels.
    pub enum Channel {
        Sms = "sms",
        Whatsapp = "whatsapp",
        Email = "email",
    }
}

crate::text_enum! {
    /// What a message is for: the OTP guards apply to `otp`, opt-outs to the other two.
    pub enum Kind {
        Otp = "otp",
        Transactional = "transactional",
        Marketing = "marketing",
    }
}
