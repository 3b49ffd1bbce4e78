//! What operators see of what they are told of.

diesel::table! {
    open_alerts (kind, org_id) {
        kind -> Text,
        org_id -> Text,
        id -> Text,
        example -> Text,
        total -> BigInt,
        opened_at -> BigInt,
        seen_at -> BigInt,
        stretch_at -> BigInt,
        stretch_count -> BigInt,
        before_count -> BigInt,
        acknowledged_at -> Nullable<BigInt>,
        acknowledged_by -> Nullable<Text>,
        acknowledged_total -> Nullable<BigInt>,
        acknowledged_reason -> Nullable<Text>,
    }
}
