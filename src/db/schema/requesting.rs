//! The request log.

diesel::table! {
    request_log (id) {
        id -> Text,
        at -> BigInt,
        listed -> Bool,
        requests -> BigInt,
        org_id -> Nullable<Text>,
        key_id -> Nullable<Text>,
        operator_id -> Nullable<Text>,
        mode -> Nullable<Text>,
        method -> Text,
        route -> Text,
        status -> Integer,
        code -> Nullable<Text>,
        policy -> Nullable<Text>,
        deprecated -> Bool,
        duration_ms -> BigInt,
        client_id -> Nullable<Text>,
        client_net -> Nullable<Text>,
        target -> Nullable<Text>,
        decision_id -> Nullable<Text>,
    }
}
