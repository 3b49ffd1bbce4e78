//! The routing room's tables.

diesel::table! {
    routes (id) {
        id -> Text,
        channel -> Text,
        country -> Nullable<Text>,
        prefix -> Nullable<Text>,
        org_id -> Nullable<Text>,
        carrier -> Text,
        priority -> Integer,
        weight -> Integer,
        paused -> Bool,
        created_at -> BigInt,
        price_micros -> Nullable<BigInt>,
        price_currency -> Nullable<Text>,
    }
}

diesel::table! {
    route_events (id) {
        id -> Text,
        route_id -> Nullable<Text>,
        carrier -> Text,
        from_state -> Text,
        to_state -> Text,
        reason -> Text,
        detail -> Text,
        node_id -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    carrier_drains (carrier) {
        carrier -> Text,
        since -> BigInt,
    }
}

diesel::table! {
    senders (id) {
        id -> Text,
        org_id -> Nullable<Text>,
        channel -> Text,
        address -> Text,
        country -> Nullable<Text>,
        carrier -> Nullable<Text>,
        created_at -> BigInt,
    }
}
