//! The activations room's tables.

diesel::table! {
    activation_services (code) {
        code -> Text,
        name -> Text,
        senders -> Text,
        texts -> Text,
        price_micros -> BigInt,
        currency -> Text,
        country_prices -> Text,
        cool_down_ms -> BigInt,
        active -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    activation_numbers (id) {
        id -> Text,
        phone -> Text,
        mode -> Text,
        country -> Text,
        operator -> Text,
        every_service -> Bool,
        status -> Text,
        cool_down_ms -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    activation_places (number_id, service) {
        number_id -> Text,
        service -> Text,
        offered -> Bool,
        activation_id -> Nullable<Text>,
        free_at -> BigInt,
    }
}

diesel::table! {
    activations (id) {
        id -> Text,
        serial -> BigInt,
        org_id -> Text,
        mode -> Text,
        key_id -> Text,
        service -> Text,
        number_id -> Text,
        phone -> Text,
        country -> Text,
        operator -> Text,
        status -> Text,
        hold -> Text,
        price_micros -> BigInt,
        currency -> Text,
        messages -> Integer,
        cancel_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    activation_messages (id) {
        id -> Text,
        activation_id -> Text,
        carrier -> Text,
        provider_id -> Text,
        sender -> Text,
        code -> Nullable<Binary>,
        text -> Binary,
        received_at -> BigInt,
        purged_at -> Nullable<BigInt>,
    }
}
