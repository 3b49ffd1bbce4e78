//! Broadcasts and the contacts that wait in them.

diesel::table! {
    broadcasts (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        key_id -> Text,
        batch_id -> Text,
        name -> Text,
        channel -> Text,
        kind -> Text,
        template -> Nullable<Text>,
        sender -> Nullable<Text>,
        said -> Binary,
        status -> Text,
        reason -> Nullable<Text>,
        turn -> BigInt,
        next_at -> Nullable<BigInt>,
        width -> SmallInt,
        next_row -> Integer,
        contacts -> Integer,
        duplicates -> Integer,
        opted_out -> Integer,
        accepted -> Integer,
        refused -> Integer,
        refusals -> Text,
        request_id -> Text,
        scheduled_for -> Nullable<BigInt>,
        started_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    broadcast_contacts (broadcast_id, row_no) {
        broadcast_id -> Text,
        row_no -> Integer,
        recipient -> Text,
        own -> Nullable<Binary>,
        due_at -> Nullable<BigInt>,
        tries -> SmallInt,
        message_id -> Nullable<Text>,
        error_code -> Nullable<Text>,
    }
}
