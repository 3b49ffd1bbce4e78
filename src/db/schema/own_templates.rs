//! The tables of organizations' own templates.

diesel::table! {
    templates (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        name -> Text,
        channel -> Text,
        locale -> Text,
        category -> Text,
        latest -> Integer,
        live -> Nullable<Integer>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    template_versions (template_id, version) {
        template_id -> Text,
        version -> Integer,
        status -> Text,
        words -> Text,
        reason -> Nullable<Text>,
        reviewer -> Nullable<Text>,
        account -> Nullable<Text>,
        remote_name -> Nullable<Text>,
        remote_id -> Nullable<Text>,
        quality -> Nullable<Text>,
        told_at -> Nullable<BigInt>,
        submit_error -> Nullable<Text>,
        submitted_at -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}
