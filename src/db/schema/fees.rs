//! What plans cost, and which plan an organization was on when.

diesel::table! {
    plan_fees (plan, currency, since) {
        plan -> Text,
        currency -> Text,
        since -> BigInt,
        amount_micros -> BigInt,
    }
}

diesel::table! {
    org_plans (org_id, since) {
        org_id -> Text,
        since -> BigInt,
        plan -> Nullable<Text>,
    }
}
