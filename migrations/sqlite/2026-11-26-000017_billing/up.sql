-- Money that is to come into a wallet, or came.
CREATE TABLE topups (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  mode TEXT NOT NULL,
  status TEXT NOT NULL,           -- pending, paid or failed
  source TEXT NOT NULL,           -- key, operator, payment or auto
  amount_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  reference TEXT,                 -- the payment's own name: one payment, one top-up
  entry_id TEXT,                  -- the ledger's entry, once paid
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX topups_org ON topups (org_id, mode, id);
CREATE UNIQUE INDEX topups_reference ON topups (reference) WHERE reference IS NOT NULL;

-- When an organization wants to be told of its balance, and what it has asked to be paid in by itself.
CREATE TABLE wallet_settings (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  mode TEXT NOT NULL,
  thresholds TEXT NOT NULL,       -- JSON: micros, the highest first
  told_micros BIGINT,             -- the threshold that was told of last; none while the balance is above all
  auto_below_micros BIGINT,
  auto_amount_micros BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, mode)
);

-- Whom an organization's invoices are made out to.
CREATE TABLE billing_profiles (
  org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id),
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  tax_id TEXT,
  email TEXT,
  updated_at BIGINT NOT NULL
);

-- Numbers given out one by one, without gaps.
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

-- An invoice is written once and never changed; document holds everything it shows.
CREATE TABLE invoices (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  mode TEXT NOT NULL,
  month TEXT NOT NULL,            -- 2026-11
  number BIGINT NOT NULL,
  document TEXT NOT NULL,
  mail_to TEXT,                   -- where it is to be mailed to
  mailed_at BIGINT,
  issued_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invoices_number ON invoices (mode, number);
CREATE UNIQUE INDEX invoices_once ON invoices (org_id, mode, month);
CREATE INDEX invoices_unmailed ON invoices (id) WHERE mail_to IS NOT NULL AND mailed_at IS NULL;
