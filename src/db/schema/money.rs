//! Money and ways: wallets, prices, routes.

diesel::table! {
    wallets (org_id, mode) {
        org_id -> Text,
        mode -> Text,
        currency -> Text,
        balance_micros -> BigInt,
        held_micros -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    wallet_entries (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        message_id -> Nullable<Text>,
        kind -> Text,
        amount_micros -> BigInt,
        currency -> Text,
        reason -> Nullable<Text>,
        created_at -> BigInt,
        account -> Text,
        contra -> Text,
        attempt_id -> Nullable<Text>,
        reference -> Nullable<Text>,
        key_id -> Nullable<Text>,
        channel -> Nullable<Text>,
        country -> Nullable<Text>,
        parts -> Nullable<Integer>,
    }
}

diesel::table! {
    prices (id) {
        id -> Text,
        channel -> Text,
        country -> Nullable<Text>,
        prefix -> Nullable<Text>,
        category -> Nullable<Text>,
        amount_micros -> BigInt,
        currency -> Text,
        valid_from -> BigInt,
        created_at -> BigInt,
        charged_at -> Text,
        retired_at -> Nullable<BigInt>,
        segment -> SmallInt,
    }
}

diesel::table! {
    spend_caps (org_id, scope, value, window_ms) {
        org_id -> Text,
        scope -> Text,
        value -> Text,
        window_ms -> BigInt,
        amount_micros -> BigInt,
        currency -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    spend_windows (org_id, mode, scope, value, window_ms) {
        org_id -> Text,
        mode -> Text,
        scope -> Text,
        value -> Text,
        window_ms -> BigInt,
        spent -> Binary,
        told -> SmallInt,
        as_of -> BigInt,
    }
}
