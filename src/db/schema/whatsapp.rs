//! The WhatsApp room's tables.

diesel::table! {
    whatsapp_portfolios (name) {
        name -> Text,
        ladder -> Text,
        contact_limit -> Nullable<BigInt>,
        managed_by -> Text,
        tier_since -> BigInt,
        told_at -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    whatsapp_numbers (id) {
        id -> Text,
        org_id -> Text,
        phone -> Text,
        portfolio -> Text,
        waba_id -> Nullable<Text>,
        phone_number_id -> Nullable<Text>,
        quality -> Text,
        quality_since -> BigInt,
        throughput -> Integer,
        status -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    whatsapp_windows (portfolio, mode) {
        portfolio -> Text,
        mode -> Text,
        used -> BigInt,
        forgotten_to -> BigInt,
        as_of -> BigInt,
    }
}

diesel::table! {
    whatsapp_contacts (portfolio, mode, contact) {
        portfolio -> Text,
        mode -> Text,
        contact -> Binary,
        last_at -> BigInt,
    }
}

diesel::table! {
    whatsapp_people (org_id, user_id) {
        org_id -> Text,
        user_id -> Text,
        phone -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    send_boosts (org_id) {
        org_id -> Text,
        factor -> Integer,
    }
}
