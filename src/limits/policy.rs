//! The names of the policies, as configuration, API, console and headers write them.

crate::text_enum! {
    /// A limit by name. Its number comes from the plan or an override (`Policies`), never from code that asks.
    pub enum Policy {
        /// Requests of one API key within a second.
        KeyBurstShort = "key.burst.short",
        /// Requests of one API key within ten seconds.
        KeyBurstMedium = "key.burst.medium",
        /// Requests of one API key within a minute, sliding.
        KeyBurstLong = "key.burst.long",
        /// Requests of one credential in a calendar minute.
        KeyMinute = "key.minute",
        /// Requests of all keys of an organization in a calendar minute.
        OrgMinute = "org.minute",
        /// Requests of one API key in a rolling hour.
        KeyWindow = "key.window",
        /// Requests of one API key in a UTC day: a meter with a gate in front.
        KeyDaily = "key.daily",
        /// Requests of one key to routes that send.
        BandSend = "band.send",
        /// Requests of one key to routes that read.
        BandRead = "band.read",
        /// Requests of one key to routes that change settings.
        BandManage = "band.manage",
        /// Requests of one key to wallet and invoices.
        BandBilling = "band.billing",
        /// SMS of an organization by its plan: messages, not requests. A paced bulk leaves a fifth of it to single sends.
        SmsPlan = "sms.plan",
        /// Unique WhatsApp contacts of a business portfolio in a moving 24 h, outside sessions: its tier sets the number.
        WhatsappContacts = "whatsapp.contacts",
        /// OTP messages of an organization to one number.
        OtpNumber = "otp.number",
        /// The same over an hour.
        OtpNumberHour = "otp.number.hour",
        /// The same over a day.
        OtpNumberDay = "otp.number.day",
        /// OTP messages to one number over all organizations.
        PlatformNumber = "platform.number",
        /// OTP messages of an organization for one client address.
        OtpIp = "otp.ip",
        /// OTP messages of an organization for one device.
        OtpDevice = "otp.device",
        /// Code checks of an organization for one number.
        CheckNumber = "check.number",
        /// The same over a day; no right code takes any of it back.
        CheckNumberDay = "check.number.day",
        /// Unauthenticated and failed requests of one client address.
        AnonymousIp = "anonymous.ip",
    }
}
