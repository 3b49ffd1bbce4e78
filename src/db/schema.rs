//! The tables, as diesel sees them: the common subset of both databases. True to `migrations/`, by test.
#![expect(missing_docs, reason = "diesel generates modules and columns; the columns are told in the migrations")]

mod routing;

pub use routing::*;

diesel::table! {
    plans (name) {
        name -> Text,
        policies -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    orgs (id) {
        id -> Text,
        name -> Text,
        plan -> Text,
        status -> Text,
        subscription_status -> Text,
        kyb_status -> Text,
        country -> Text,
        countries -> Text,
        locale -> Text,
        protection -> Text,
        max_code_ttl_ms -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    limit_overrides (scope, scope_id, policy) {
        scope -> Text,
        scope_id -> Text,
        policy -> Text,
        allowance -> Text,
        expires_at -> Nullable<BigInt>,
        reason -> Text,
        author -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        org_id -> Text,
        name -> Text,
        mode -> Text,
        kind -> Text,
        prefix -> Text,
        hash -> Binary,
        scopes -> Text,
        rotated_from -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    operators (id) {
        id -> Text,
        name -> Text,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    operator_tokens (id) {
        id -> Text,
        operator_id -> Text,
        prefix -> Text,
        hash -> Binary,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    audit_head (id) {
        id -> SmallInt,
        seq -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    audit_log (seq) {
        seq -> BigInt,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        target -> Text,
        reason -> Nullable<Text>,
        before_state -> Nullable<Text>,
        after_state -> Nullable<Text>,
        request_id -> Nullable<Text>,
        prev_hash -> Binary,
        hash -> Binary,
    }
}

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
    door_windows (shard, scope) {
        shard -> Text,
        scope -> Text,
        state -> Binary,
        saved_at -> BigInt,
    }
}

diesel::table! {
    wallets (org_id, mode) {
        org_id -> Text,
        mode -> Text,
        currency -> Text,
        balance_micros -> BigInt,
        held_micros -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    wallet_entries (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        message_id -> Nullable<Text>,
        kind -> Text,
        amount_micros -> BigInt,
        currency -> Text,
        reason -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    prices (id) {
        id -> Text,
        channel -> Text,
        country -> Nullable<Text>,
        prefix -> Nullable<Text>,
        category -> Nullable<Text>,
        amount_micros -> BigInt,
        currency -> Text,
        valid_from -> BigInt,
        created_at -> BigInt,
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

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        run_at -> Nullable<BigInt>,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    nodes (id) {
        id -> Text,
        role -> Text,
        started_at -> BigInt,
        seen_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query! {
    plans, orgs, limit_overrides, api_keys, operators, operator_tokens, audit_head, audit_log, idempotency,
    guard_windows, org_windows, door_windows, wallets, wallet_entries, prices, routes, route_events,
    carrier_drains, senders, batches, messages, attempts, message_events, receipts, decisions, sandbox_inbox,
    verifications, verification_sends, jobs, nodes
}
