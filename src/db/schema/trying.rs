//! Test messages of operators.

diesel::table! {
    carrier_tests (id) {
        id -> Text,
        carrier -> Text,
        channel -> Text,
        recipient -> Text,
        address -> Nullable<Binary>,
        template -> Nullable<Text>,
        author -> Text,
        status -> Text,
        provider_id -> Nullable<Text>,
        error_code -> Nullable<Text>,
        detail -> Nullable<Text>,
        state -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
    }
}
