//! How operators sign in to the console.

diesel::table! {
    operator_logins (operator_id) {
        operator_id -> Text,
        password -> Text,
        password_at -> BigInt,
        totp -> Nullable<Binary>,
        totp_at -> Nullable<BigInt>,
        totp_step -> BigInt,
        generation -> BigInt,
    }
}

diesel::table! {
    operator_recovery (operator_id, mac) {
        operator_id -> Text,
        mac -> Binary,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    operator_sessions (id) {
        id -> Text,
        operator_id -> Text,
        hash -> Binary,
        created_at -> BigInt,
        seen_at -> BigInt,
        proved_at -> BigInt,
        address -> Text,
        agent -> Text,
    }
}

diesel::table! {
    operator_links (mac) {
        mac -> Binary,
        operator_id -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    operator_guesses (scope) {
        scope -> Text,
        marks -> Binary,
        refused -> BigInt,
        seen_at -> BigInt,
    }
}
