//! The closed list of what webhooks tell. Published in the OpenAPI document; words are added, never renamed.

crate::text_enum! {
    /// What happened.
    pub enum EventType as "WebhookEventType" {
        /// A carrier took the message.
        MessageSent = "message.sent",
        /// The handset or mailbox has it.
        MessageDelivered = "message.delivered",
        /// The network could not deliver it.
        MessageUndelivered = "message.undelivered",
        /// No carrier would take it.
        MessageFailed = "message.failed",
        /// Its time ran out before it was sent.
        MessageExpired = "message.expired",
        /// The carrier's answer was lost; it may or may not have been sent.
        MessageUnknown = "message.unknown",
        /// It was called back before it was sent.
        MessageCanceled = "message.canceled",
        /// Somebody wrote to one of the organization's numbers.
        MessageInbound = "message.inbound",
        /// A recipient wants no more messages.
        RecipientOptedOut = "recipient.opted_out",
        /// A recipient wants messages again.
        RecipientOptedIn = "recipient.opted_in",
        /// A verification was started; its first code is on its way.
        VerificationCreated = "verification.created",
        /// The right code was entered.
        VerificationApproved = "verification.approved",
        /// Every check allowed was used on wrong codes.
        VerificationMaxChecks = "verification.max_checks",
        /// It was canceled.
        VerificationCanceled = "verification.canceled",
        /// A version of a template was approved, turned down, paused or stopped, or waits for its review.
        TemplateStatusChanged = "template.status_changed",
        /// A template is received better or worse than before, as WhatsApp sees it.
        TemplateQualityChanged = "template.quality_changed",
        /// WhatsApp sees a template in another category, or its words were changed there.
        TemplateChanged = "template.changed",
        /// A broadcast began, or goes on after a pause.
        BroadcastStarted = "broadcast.started",
        /// A broadcast holds: by request, or because money or a permission is missing; its reason says which.
        BroadcastPaused = "broadcast.paused",
        /// Every contact of a broadcast was sent to or refused.
        BroadcastCompleted = "broadcast.completed",
        /// A broadcast was called off by its owner.
        BroadcastCanceled = "broadcast.canceled",
        /// A broadcast may not go on; its reason says why.
        BroadcastStopped = "broadcast.stopped",
        /// Half, four fifths or all of a spend cap is spent.
        SpendCapReached = "spend_cap.reached",
        /// The fraud guard holds a group of attempts: a prefix, a network.
        FraudHoldStarted = "fraud.hold_started",
        /// A hold has ended: its codes are typed again, or somebody released it.
        FraudHoldEnded = "fraud.hold_ended",
        /// Somebody has chosen less protection against fraud for the organization.
        FraudProtectionLowered = "fraud.protection_lowered",
        /// A WhatsApp portfolio may write to more or fewer new contacts a day.
        WhatsappTierChanged = "whatsapp.tier_changed",
        /// Recipients take a WhatsApp number better or worse.
        WhatsappQualityChanged = "whatsapp.quality_changed",
        /// A WhatsApp number sends no more, or sends again: paused, blocked by Meta, disconnected, connected.
        WhatsappStatusChanged = "whatsapp.status_changed",
        /// The channel's operator warns of something about the account.
        WhatsappAccountAlert = "whatsapp.account_alert",
        /// The balance that is free has fallen below a threshold of the organization's own.
        WalletLowBalance = "wallet.low_balance",
        /// The balance has fallen so low that money is to be paid in, as the organization asked; nothing is taken yet.
        WalletAutoTopup = "wallet.auto_topup_requested",
        /// Money was paid in.
        WalletToppedUp = "wallet.topped_up",
        /// A month's invoice was written.
        InvoiceIssued = "invoice.issued",
        /// A code came to a number that the organization rents.
        ActivationCodeReceived = "activation.code_received",
        /// No code came to a rented number in time; nothing is charged.
        ActivationExpired = "activation.expired",
        /// Operational: an endpoint answers no more and gets nothing further until it is enabled again.
        EndpointDisabled = "webhook.endpoint_disabled",
        /// A test, sent on request to one endpoint whatever it subscribes to.
        Test = "webhook.test",
    }
}

impl EventType {
    /// Whether an endpoint can ask for it: a test goes to the one it was asked for.
    pub fn is_subscribable(self) -> bool {
        self != EventType::Test
    }
}

/// The word for every event type, those of later versions included.
const EVERY: &str = "*";

/// Which events an endpoint gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Every type, those of later versions included.
    Every,
    /// These, sorted and each once.
    Only(Vec<EventType>),
}

impl Wanted {
    /// Whether `kind` is among them.
    pub fn has(&self, kind: EventType) -> bool {
        match self {
            Wanted::Every => kind.is_subscribable(),
            Wanted::Only(list) => list.contains(&kind),
        }
    }

    /// Reads the words of a request or a column; the error completes the sentence "`events` …".
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Wanted, String> {
        match words {
            [] => return Err(String::from("needs at least one event type, or [\"*\"] for all")),
            [one] if one.as_ref() == EVERY => return Ok(Wanted::Every),
            _ => {}
        }
        let mut list = words.iter().map(|word| parse_one(word.as_ref())).collect::<Result<Vec<_>, _>>()?;
        list.sort_unstable();
        list.dedup();
        Ok(Wanted::Only(list))
    }

    /// The words, as shown and stored.
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Wanted::Every => vec![EVERY],
            Wanted::Only(list) => list.iter().map(EventType::as_str).collect(),
        }
    }
}

/// A word of a client is echoed in the error, so it is cut to a length that is still readable.
fn parse_one(word: &str) -> Result<EventType, String> {
    let found: Option<EventType> = word.parse().ok();
    found.filter(|kind| kind.is_subscribable()).ok_or_else(|| {
        let shown: String = word.chars().take(40).collect();
        format!("takes \"*\" alone or event types; \"{shown}\" is none that can be asked for")
    })
}

impl serde::Serialize for Wanted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Wanted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Wanted::parse(&words).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Wanted {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let types = EventType::ALL.iter().filter(|kind| kind.is_subscribable()).map(EventType::as_str);
        let item = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(std::iter::once(EVERY).chain(types)));
        utoipa::openapi::ArrayBuilder::new()
            .items(item)
            .min_items(Some(1))
            .examples([serde_json::json!(["message.delivered", "verification.approved"])])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for Wanted {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("WebhookEventFilter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_every_type_or_a_list_and_never_the_test() {
        let every = Wanted::parse(&["*"]).unwrap();
        assert!(every.has(EventType::MessageSent) && !every.has(EventType::Test));
        let some = Wanted::parse(&["message.sent", "message.failed", "message.sent"]).unwrap();
        assert_eq!(some.words(), ["message.sent", "message.failed"]);
        assert!(!some.has(EventType::MessageDelivered));
        for bad in [&[][..], &["*", "message.sent"], &["webhook.test"], &["message.*"]] {
            assert!(Wanted::parse(bad).is_err(), "{bad:?}");
        }
    }
}
