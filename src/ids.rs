//! Ids with a visible prefix: TypeID text (`msg_01h455vb4pex5vsknk084sn02q`), a type for each kind of thing.
//!
//! The text itself is the value, held inline: readable in both databases' shells, sorted by time, never allocated.

use std::sync::{Mutex, PoisonError};

use type_safe_id::{DynamicType, TypeSafeId};

use crate::clock::Millis;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id that starts with {prefix}_")]
pub struct NotAnId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

/// Length of the base32 part of a TypeID.
/// Source: <https://github.com/jetify-com/typeid/tree/main/spec>.
const SUFFIX_LEN: usize = 26;

/// Prefix of three letters, an underscore, the suffix.
const ID_LEN: usize = 3 + 1 + SUFFIX_LEN;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub struct $name([u8; ID_LEN]);

        impl $name {
            /// The kind, as the id shows it.
            pub const PREFIX: &'static str = $prefix;

            /// A new id whose time part is `now`.
            pub fn new(now: Millis) -> Self {
                Self(fresh($prefix, now))
            }

            /// The smallest id of a moment: whatever was made before it sorts below.
            pub fn first_at(at: Millis) -> Self {
                Self(encode($prefix, at, [0; 10]))
            }

            /// When it was made.
            pub fn moment(&self) -> Millis {
                moment(self.as_str())
            }

            /// The id as it is stored and shown.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or($prefix)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse($prefix, text).map(Self).ok_or(NotAnId { prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([serde_json::Value::from(concat!($prefix, "_01h455vb4pex5vsknk084sn02q"))])
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        $crate::text_column!($name);
    )+};
}

ids! {
    /// An organization: the tenant.
    OrgId = "org",
    /// An API key.
    KeyId = "key",
    /// A message.
    MessageId = "msg",
    /// A bulk request's batch.
    BatchId = "bat",
    /// A broadcast.
    BroadcastId = "brd",
    /// A verification.
    VerificationId = "vrf",
    /// A decision on a message or a verification.
    DecisionId = "dec",
    /// An entry of the wallet's ledger.
    EntryId = "txn",
    /// An event of a timeline, or one that webhooks tell of.
    EventId = "evt",
    /// Something that operators are told of, from its first time until it was quiet for long.
    AlertId = "alr",
    /// A group of attempts that the fraud engine holds.
    HoldId = "hld",
    /// A run of recorded traffic through changed fraud rules.
    SimulationId = "sim",
    /// A webhook endpoint.
    EndpointId = "whe",
    /// An event on its way to a webhook endpoint.
    DeliveryId = "dlv",
    /// A developer that listens to events for a while.
    ListenerId = "lsn",
    /// A hand-off of a message to a carrier.
    AttemptId = "att",
    /// A test message of an operator's by one carrier.
    TrialId = "tst",
    /// The erasure of somebody's address.
    ErasureId = "ers",
    /// A job of the queue.
    JobId = "job",
    /// A route.
    RouteId = "rte",
    /// A sender identity.
    SenderId = "snd",
    /// A WhatsApp number.
    WhatsappNumberId = "wan",
    /// An operator.
    OperatorId = "opr",
    /// A session of an operator at the console.
    SessionId = "ses",
    /// An operator's token.
    TokenId = "tok",
    /// Money that is to come into a wallet.
    TopupId = "top",
    /// An invoice.
    InvoiceId = "inv",
    /// A price.
    PriceId = "prc",
    /// A message that somebody sent to us.
    InboundId = "inb",
    /// A recipient's opt-out.
    OptOutId = "opt",
    /// An entry of a fraud list.
    ListId = "lst",
    /// A text of an organization's own.
    TemplateId = "tpl",
    /// A number rented for a service, to receive a code.
    ActivationId = "act",
    /// A number that can be rented.
    ActivationNumberId = "num",
    /// A message that came for an activation.
    ActivationMessageId = "acm",
    /// A process among those that share the database.
    NodeId = "nod",
    /// A signed statement of where the audit chain ended.
    CheckpointId = "chk",
    /// A copy of the database.
    BackupId = "bak",
}

/// The moment of the newest id of this process, and how many of that moment came before it.
static LATEST: Mutex<(Millis, u32)> = Mutex::new((Millis(0), 0));

/// Ids of one millisecond sort in the order they were made, so that a timeline or a bulk keeps its order: the first 26
/// of the 74 bits that are free count (RFC 9562, section 6.2, method 1), 48 stay random.
fn fresh(prefix: &str, now: Millis) -> [u8; ID_LEN] {
    let mut noise = [0u8; 10];
    crate::secret::fill_noise(&mut noise);
    // Version and variant take the upper bits of the first and the third byte: 4 + 8 + 6 + 8 are left.
    let place = place_in(now) & 0x03ff_ffff;
    let parts = [place >> 22, (place >> 14) & 0xff, (place >> 8) & 0x3f, place & 0xff];
    for (slot, part) in noise.iter_mut().zip(parts) {
        *slot = u8::try_from(part).unwrap_or(u8::MAX);
    }
    encode(prefix, now, noise)
}

fn place_in(now: Millis) -> u32 {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    *latest = if latest.0 == now { (now, latest.1.wrapping_add(1)) } else { (now, 0) };
    latest.1
}

fn encode(prefix: &str, at: Millis, noise: [u8; 10]) -> [u8; ID_LEN] {
    let millis = u64::try_from(at.0).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &noise).into_uuid();
    let mut id = [b'0'; ID_LEN];
    if let Ok(kind) = DynamicType::new(prefix) {
        let text = TypeSafeId::from_type_and_uuid(kind, uuid).to_string();
        for (slot, byte) in id.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
    }
    id
}

/// The time part: the first 48 bits.
fn moment(text: &str) -> Millis {
    let millis = text.parse::<TypeSafeId<DynamicType>>().map_or(0, |id| id.uuid().as_u128() >> 80);
    Millis(i64::try_from(millis).unwrap_or(0))
}

/// Whether `text` has the form of an id of any kind.
pub fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(kind, _)| parse(kind, text).is_some())
}

fn parse(prefix: &str, text: &str) -> Option<[u8; ID_LEN]> {
    let bytes: [u8; ID_LEN] = text.as_bytes().try_into().ok()?;
    let (found, suffix) = text.split_once('_')?;
    let canonical = suffix.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if found != prefix || !canonical {
        return None;
    }
    let _: TypeSafeId<DynamicType> = text.parse().ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let first = MessageId::new(Millis(1_000));
        let second = MessageId::new(Millis(2_000));
        assert!(first < second);
        assert_eq!(first.to_string().parse::<MessageId>(), Ok(first));
        assert!(first.to_string().starts_with("msg_"));
    }

    #[test]
    fn ids_of_one_moment_sort_in_the_order_they_were_made() {
        let ids: Vec<EventId> = (0..70_000).map(|_| EventId::new(Millis(123_456))).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(EventId::first_at(Millis(123_456)) < ids[0] && ids[69_999] < EventId::first_at(Millis(123_457)));
    }

    #[test]
    fn another_kind_or_garbage_is_refused() {
        let org = OrgId::new(Millis(1_000)).to_string();
        for bad in [
            org.as_str(),
            "",
            "msg_",
            "msg_01h455vb4pex5vsknk084sn02",
            "msg_91h455vb4pex5vsknk084sn02q",
            "msg_01H455VB4PEX5VSKNK084SN02Q",
        ] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad}");
        }
        assert!(is_id(&org) && !is_id("send-bulk") && !is_id("msg_01h455vb4pex5vsknk084sn02") && !is_id(""));
        assert!("msg_01h455vb4pex5vsknk084sn02q".parse::<MessageId>().is_ok());
    }
}
