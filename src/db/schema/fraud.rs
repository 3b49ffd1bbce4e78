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
    fraud_rules (version) {
        version -> BigInt,
        rules -> Text,
        author -> Text,
        reason -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    fraud_holds (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        shown -> Text,
        plan -> Text,
        origin -> Text,
        reasons -> Text,
        begun_at -> BigInt,
        until_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        changed_at -> BigInt,
    }
}

diesel::table! {
    versions (name) {
        name -> Text,
        version -> BigInt,
    }
}
