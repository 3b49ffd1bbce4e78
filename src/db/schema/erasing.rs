//! Erasures of people's addresses, and their proofs.

diesel::table! {
    erasures (id) {
        id -> Text,
        status -> Text,
        subject -> Text,
        address -> Nullable<Binary>,
        author -> Text,
        reason -> Text,
        request_id -> Nullable<Text>,
        erased -> Text,
        left_over -> Text,
        error -> Nullable<Text>,
        next_at -> Nullable<BigInt>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
    }
}
