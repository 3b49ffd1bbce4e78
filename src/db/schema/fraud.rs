//! What is known of good and bad.

diesel::table! {
    fraud_lists (id) {
        id -> Text,
        org_id -> Nullable<Text>,
        mode -> Nullable<Text>,
        action -> Text,
        kind -> Text,
        value -> Text,
        reason -> Text,
        author -> Text,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    versions (name) {
        name -> Text,
        version -> BigInt,
    }
}
