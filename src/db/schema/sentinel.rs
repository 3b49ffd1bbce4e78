//! What operators stop, simulate and are told.

diesel::table! {
    pauses (scope, value) {
        scope -> Text,
        value -> Text,
        reason -> Nullable<Text>,
        author -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    fraud_simulations (id) {
        id -> Text,
        state -> Text,
        spec -> Text,
        author -> Text,
        outcome -> Nullable<Text>,
        created_at -> BigInt,
        claimed_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    alerts (kind, org_id) {
        kind -> Text,
        org_id -> Text,
        count -> BigInt,
        example -> Text,
        first_at -> BigInt,
        mailed_at -> BigInt,
    }
}
