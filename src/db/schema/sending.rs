//! Messages: what guards them, what carries them, what comes back.

diesel::table! {
    idempotency (owner, mode, key_hash) {
        owner -> Text,
        mode -> Text,
        key_hash -> Binary,
        fingerprint -> Binary,
        status -> SmallInt,
        body -> Binary,
        location -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    guard_windows (kind, mode, subject) {
        kind -> Text,
        mode -> Text,
        subject -> Binary,
        stamps -> Binary,
        as_of -> BigInt,
    }
}

diesel::table! {
    org_windows (org_id, mode, policy) {
        org_id -> Text,
        mode -> Text,
        policy -> Text,
        stamps -> Binary,
        as_of -> BigInt,
    }
}

diesel::table! {
    batches (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        accepted -> Integer,
        rejected -> Integer,
        created_at -> BigInt,
    }
}

diesel::table! {
    messages (id) {
        id -> Text,
        org_id -> Text,
        key_id -> Text,
        mode -> Text,
        batch_id -> Nullable<Text>,
        verification_id -> Nullable<Text>,
        channel -> Text,
        kind -> Text,
        recipient -> Text,
        country -> Nullable<Text>,
        sender -> Nullable<Text>,
        content -> Nullable<Binary>,
        encoding -> Nullable<Text>,
        segments -> Integer,
        status -> Text,
        error_code -> Nullable<Text>,
        price_micros -> BigInt,
        currency -> Text,
        hold -> Text,
        decision_id -> Text,
        decision -> Text,
        lane -> SmallInt,
        next_at -> Nullable<BigInt>,
        attempts -> Integer,
        carrier -> Nullable<Text>,
        extra -> Text,
        request_id -> Text,
        scheduled_for -> Nullable<BigInt>,
        expires_at -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    attempts (id) {
        id -> Text,
        message_id -> Text,
        number -> Integer,
        channel -> Text,
        carrier -> Text,
        state -> Text,
        provider_id -> Nullable<Text>,
        error_code -> Nullable<Text>,
        detail -> Nullable<Text>,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        route_id -> Nullable<Text>,
        cost_micros -> Nullable<BigInt>,
        cost_currency -> Nullable<Text>,
    }
}

diesel::table! {
    message_events (id) {
        id -> Text,
        message_id -> Text,
        kind -> Text,
        detail -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    receipts (carrier, provider_id, status) {
        carrier -> Text,
        provider_id -> Text,
        status -> Text,
        message_id -> Nullable<Text>,
        error_code -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::table! {
    decisions (id) {
        id -> Text,
        org_id -> Text,
        key_id -> Text,
        mode -> Text,
        action -> Text,
        code -> Text,
        terms -> Text,
        request_id -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    sandbox_inbox (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        message_id -> Text,
        channel -> Text,
        recipient -> Text,
        sender -> Nullable<Text>,
        subject -> Nullable<Text>,
        body -> Text,
        received_at -> BigInt,
    }
}

diesel::table! {
    inbound_messages (id) {
        id -> Text,
        carrier -> Text,
        provider_id -> Text,
        org_id -> Nullable<Text>,
        mode -> Text,
        channel -> Text,
        sender -> Text,
        recipient -> Text,
        body -> Binary,
        keyword -> Nullable<Text>,
        received_at -> BigInt,
        sent_at -> Nullable<BigInt>,
        purged_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    opt_outs (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        channel -> Text,
        recipient -> Text,
        source -> Text,
        inbound_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}
