//! What is kept of the audit chain and of the database itself.

diesel::table! {
    audit_checkpoints (id) {
        id -> Text,
        period -> Nullable<BigInt>,
        seq -> BigInt,
        hash -> Text,
        at -> BigInt,
        node -> Text,
        signer -> Text,
        signature -> Text,
    }
}

diesel::table! {
    backups (id) {
        id -> Text,
        file -> Text,
        status -> Text,
        author -> Text,
        bytes -> Nullable<BigInt>,
        head -> Nullable<Text>,
        fault -> Nullable<Text>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}
