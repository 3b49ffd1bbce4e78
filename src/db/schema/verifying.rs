//! Verifications.

diesel::table! {
    verifications (id) {
        id -> Text,
        org_id -> Text,
        key_id -> Text,
        mode -> Text,
        recipient -> Text,
        recipient_mac -> Binary,
        country -> Nullable<Text>,
        channel -> Text,
        locale -> Text,
        code_length -> SmallInt,
        resend_policy -> Text,
        status -> Text,
        checks -> Integer,
        max_checks -> Integer,
        sends -> Integer,
        step -> Integer,
        spec -> Text,
        request_id -> Text,
        last_send_at -> BigInt,
        expires_at -> BigInt,
        decided_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    verification_sends (verification_id, attempt) {
        verification_id -> Text,
        attempt -> Integer,
        message_id -> Text,
        channel -> Text,
        converted -> Bool,
        created_at -> BigInt,
    }
}
