//! What an API key may do: scopes, and sets of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

crate::text_enum! {
    /// A right of an API key.
    pub enum Scope {
        /// Send messages, cancel them, report on them.
        MessagesSend = "messages:send",
        /// Read messages, batches and their timelines.
        MessagesRead = "messages:read",
        /// Start, check, resend and cancel verifications.
        VerificationsWrite = "verifications:write",
        /// Read verifications and their summary.
        VerificationsRead = "verifications:read",
        /// Change templates.
        TemplatesWrite = "templates:write",
        /// Read templates.
        TemplatesRead = "templates:read",
        /// Change webhook endpoints.
        WebhooksWrite = "webhooks:write",
        /// Read webhook endpoints, deliveries and events.
        WebhooksRead = "webhooks:read",
        /// Read the wallet, its entries and invoices.
        WalletRead = "wallet:read",
        /// Top the wallet up.
        WalletTopup = "wallet:topup",
        /// Change WhatsApp numbers and broadcasts.
        WhatsappWrite = "whatsapp:write",
        /// Read WhatsApp numbers, sessions and broadcasts.
        WhatsappRead = "whatsapp:read",
        /// Order activations and end them.
        ActivationsWrite = "activations:write",
        /// Read activations.
        ActivationsRead = "activations:read",
        /// Change fraud settings and lists.
        FraudWrite = "fraud:write",
        /// Read decisions, fraud settings and lists.
        FraudRead = "fraud:read",
    }
}

/// The word for every scope, those of later versions included.
const EVERY: &str = "*";

/// A set of scopes. In JSON `["*"]` or a list of scopes; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// Every scope, those of later versions included.
    Every,
    /// These, sorted and each once.
    Only(Vec<Scope>),
}

/// A list of texts that is not a set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotScopes {
    /// Nothing in it.
    #[error("needs at least one scope, or [\"*\"] for all")]
    Empty,
    /// `*` beside others.
    #[error("takes \"*\" alone, not beside other scopes")]
    StarBesideOthers,
    /// A word that is no scope.
    #[error("knows no scope \"{0}\"; see the reference for the list")]
    Unknown(String),
}

impl Scopes {
    /// Whether `scope` is in the set.
    pub fn has(&self, scope: Scope) -> bool {
        match self {
            Scopes::Every => true,
            Scopes::Only(list) => list.contains(&scope),
        }
    }

    /// Reads the words of a request or a column.
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Scopes, NotScopes> {
        if words.is_empty() {
            return Err(NotScopes::Empty);
        }
        if words.iter().any(|word| word.as_ref() == EVERY) {
            return if words.len() == 1 { Ok(Scopes::Every) } else { Err(NotScopes::StarBesideOthers) };
        }
        let mut list = words.iter().map(|word| parse_one(word.as_ref())).collect::<Result<Vec<_>, _>>()?;
        list.sort_unstable();
        list.dedup();
        Ok(Scopes::Only(list))
    }

    /// The words, as shown and stored.
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Scopes::Every => vec![EVERY],
            Scopes::Only(list) => list.iter().map(Scope::as_str).collect(),
        }
    }
}

/// A word of a client is echoed in the error, so it is cut to a length that is still readable.
fn parse_one(word: &str) -> Result<Scope, NotScopes> {
    word.parse().map_err(|_| NotScopes::Unknown(word.chars().take(40).collect()))
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Scopes::parse(&words).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Scopes {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let words = std::iter::once(EVERY).chain(Scope::ALL.iter().map(Scope::as_str));
        let item = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(words));
        utoipa::openapi::ArrayBuilder::new()
            .items(item)
            .min_items(Some(1))
            .examples([serde_json::json!(["messages:send", "messages:read"])])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for Scopes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_every_scope_and_a_list_is_only_its_own() {
        let every = Scopes::parse(&["*"]).unwrap();
        assert!(Scope::ALL.iter().all(|scope| every.has(*scope)));
        let some = Scopes::parse(&["messages:send", "wallet:read", "messages:send"]).unwrap();
        let held: Vec<_> = Scope::ALL.iter().filter(|scope| some.has(**scope)).collect();
        assert_eq!(held, [&Scope::MessagesSend, &Scope::WalletRead]);
    }

    #[test]
    fn what_is_no_set_of_scopes_is_refused() {
        assert_eq!(Scopes::parse::<&str>(&[]), Err(NotScopes::Empty));
        assert_eq!(Scopes::parse(&["*", "messages:send"]), Err(NotScopes::StarBesideOthers));
        assert!(matches!(Scopes::parse(&["messages:*"]), Err(NotScopes::Unknown(_))));
        assert!(matches!(Scopes::parse(&["Messages:Send"]), Err(NotScopes::Unknown(_))));
    }

    #[test]
    fn a_set_reads_back_from_its_json() {
        for words in [vec!["*"], vec!["messages:read", "fraud:read"]] {
            let set = Scopes::parse(&words).unwrap();
            let text = serde_json::to_string(&set).unwrap();
            assert_eq!(serde_json::from_str::<Scopes>(&text).unwrap(), set);
        }
    }
}
