//! The tables of webhooks.

diesel::table! {
    webhook_endpoints (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        url -> Text,
        description -> Text,
        events -> Text,
        status -> Text,
        disabled_reason -> Nullable<Text>,
        secret -> Binary,
        old_secret -> Nullable<Binary>,
        old_until -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        older_secret -> Nullable<Binary>,
        older_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhook_events (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        kind -> Text,
        payload -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Text,
        endpoint_id -> Text,
        event_id -> Text,
        status -> Text,
        lane -> SmallInt,
        next_at -> Nullable<BigInt>,
        attempts -> Integer,
        http_status -> Nullable<Integer>,
        error -> Nullable<Text>,
        duration_ms -> Nullable<BigInt>,
        attempted_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}
