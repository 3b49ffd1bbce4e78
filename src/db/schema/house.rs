//! Accounts, operators, limits, and the log of what was changed.

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
        learning_until -> Nullable<BigInt>,
        guarding -> Text,
        max_code_ttl_ms -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        next_plan -> Nullable<Text>,
        next_plan_at -> Nullable<BigInt>,
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
        statuses -> Nullable<Text>,
    }
}

diesel::table! {
    operators (id) {
        id -> Text,
        name -> Text,
        role -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
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
        role -> Nullable<Text>,
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
    door_windows (shard, scope) {
        shard -> Text,
        scope -> Text,
        state -> Binary,
        saved_at -> BigInt,
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
