//! The pace of WhatsApp numbers with each recipient.

diesel::table! {
    pairs (recipient, carrier) {
        carrier -> Text,
        recipient -> Binary,
        due_at -> BigInt,
    }
}
