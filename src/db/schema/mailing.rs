//! Mails to operators.

diesel::table! {
    alert_mails (id) {
        id -> Text,
        address -> Text,
        kind -> Text,
        org_id -> Text,
        count -> BigInt,
        example -> Text,
        first_at -> BigInt,
        tries -> Integer,
        next_at -> BigInt,
    }
}
