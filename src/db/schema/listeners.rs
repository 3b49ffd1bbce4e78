//! Developers that listen, and what they have not heard yet.

diesel::table! {
    webhook_listeners (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        events -> Text,
        expires_at -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_unheard (listener_id, event_id) {
        listener_id -> Text,
        event_id -> Text,
    }
}
