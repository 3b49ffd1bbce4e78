//! Billing: top-ups, invoices, and what organizations set about both.

diesel::table! {
    topups (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        status -> Text,
        source -> Text,
        amount_micros -> BigInt,
        currency -> Text,
        reference -> Nullable<Text>,
        entry_id -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    wallet_settings (org_id, mode) {
        org_id -> Text,
        mode -> Text,
        thresholds -> Text,
        told_micros -> Nullable<BigInt>,
        auto_below_micros -> Nullable<BigInt>,
        auto_amount_micros -> Nullable<BigInt>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    billing_profiles (org_id) {
        org_id -> Text,
        name -> Text,
        address -> Text,
        tax_id -> Nullable<Text>,
        email -> Nullable<Text>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    counters (name) {
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    invoices (id) {
        id -> Text,
        org_id -> Text,
        mode -> Text,
        month -> Text,
        number -> BigInt,
        document -> Text,
        mail_to -> Nullable<Text>,
        mailed_at -> Nullable<BigInt>,
        issued_at -> BigInt,
        mail_tries -> SmallInt,
        mail_at -> BigInt,
    }
}

diesel::table! {
    allowances (org_id, month) {
        org_id -> Text,
        month -> Text,
        used -> BigInt,
    }
}
