-- Everything is Text, BigInt, Integer, SmallInt, Bool or Binary. Times are epoch milliseconds, money is micros,
-- ids are TypeID text, documents are JSON text. No database defaults for time: the clock writes it.

-- Accounts ------------------------------------------------------------------------------------------------------
CREATE TABLE plans (
  name TEXT NOT NULL PRIMARY KEY,
  policies TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE orgs (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  plan TEXT NOT NULL REFERENCES plans (name),
  status TEXT NOT NULL,
  subscription_status TEXT NOT NULL,
  kyb_status TEXT NOT NULL,
  country TEXT NOT NULL,
  countries TEXT NOT NULL,
  locale TEXT NOT NULL,
  protection TEXT NOT NULL,
  max_code_ttl_ms BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE limit_overrides (
  scope TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  allowance TEXT NOT NULL,
  expires_at BIGINT,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope, scope_id, policy)
);

CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  mode TEXT NOT NULL,
  kind TEXT NOT NULL,
  prefix TEXT NOT NULL UNIQUE,
  hash BYTEA NOT NULL,
  scopes TEXT NOT NULL,
  rotated_from TEXT,
  expires_at BIGINT,
  revoked_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX api_keys_org ON api_keys (org_id, id);

CREATE TABLE operators (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE operator_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  operator_id TEXT NOT NULL REFERENCES operators (id),
  prefix TEXT NOT NULL UNIQUE,
  hash BYTEA NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  created_at BIGINT NOT NULL
);

-- Audit: a chain of hashes, each over the one before ---------------------------------------------------------------
CREATE TABLE audit_head (
  id SMALLINT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL
);

CREATE TABLE audit_log (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  reason TEXT,
  before_state TEXT,
  after_state TEXT,
  request_id TEXT,
  prev_hash BYTEA NOT NULL,
  hash BYTEA NOT NULL
);

-- Idempotency: the row lives and dies with the work's transaction ---------------------------------------------------
CREATE TABLE idempotency (
  owner TEXT NOT NULL,
  mode TEXT NOT NULL,
  key_hash BYTEA NOT NULL,
  fingerprint BYTEA NOT NULL,
  status SMALLINT NOT NULL,
  body BYTEA NOT NULL,
  location TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (owner, mode, key_hash)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

-- Guards ---------------------------------------------------------------------------------------------------------
-- One row a guarded thing (a number's codes, a number's checks, a client address, a device), over all organizations:
-- each stamp carries its organization's tag, so that one row answers the number's own limits and the platform's.
CREATE TABLE guard_windows (
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  subject BYTEA NOT NULL,
  stamps BYTEA NOT NULL,
  as_of BIGINT NOT NULL,
  PRIMARY KEY (kind, mode, subject)
);
CREATE INDEX guard_windows_age ON guard_windows (kind, as_of);

CREATE TABLE org_windows (
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  policy TEXT NOT NULL,
  stamps BYTEA NOT NULL,
  as_of BIGINT NOT NULL,
  PRIMARY KEY (org_id, mode, policy)
);

-- Request-level windows longer than a minute, saved every few seconds by the one-node default.
CREATE TABLE door_windows (
  shard TEXT NOT NULL,
  scope TEXT NOT NULL,
  state BYTEA NOT NULL,
  saved_at BIGINT NOT NULL,
  PRIMARY KEY (shard, scope)
);

-- Money ----------------------------------------------------------------------------------------------------------
CREATE TABLE wallets (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  mode TEXT NOT NULL,
  currency TEXT NOT NULL,
  balance_micros BIGINT NOT NULL,
  held_micros BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, mode)
);

CREATE TABLE wallet_entries (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  message_id TEXT,
  kind TEXT NOT NULL,
  amount_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  reason TEXT,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX wallet_entries_once ON wallet_entries (message_id, kind) WHERE message_id IS NOT NULL;
CREATE INDEX wallet_entries_org ON wallet_entries (org_id, mode, id);

CREATE TABLE prices (
  id TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  country TEXT,
  prefix TEXT,
  category TEXT,
  amount_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Routes ---------------------------------------------------------------------------------------------------------
CREATE TABLE routes (
  id TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  country TEXT,
  prefix TEXT,
  org_id TEXT,
  carrier TEXT NOT NULL,
  priority INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  paused BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);

-- Messages -------------------------------------------------------------------------------------------------------
CREATE TABLE batches (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  created_at BIGINT NOT NULL
);

-- The row is also the job (next_at: when to act, null when nothing is left to do), the hold (price, hold) and the
-- allowed decision (decision_id, decision).
CREATE TABLE messages (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  batch_id TEXT,
  verification_id TEXT,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  recipient TEXT NOT NULL,
  country TEXT,
  sender TEXT,
  content BYTEA,
  encoding TEXT,
  segments INTEGER NOT NULL,
  status TEXT NOT NULL,
  error_code TEXT,
  price_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  hold TEXT NOT NULL,
  decision_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  lane SMALLINT NOT NULL,
  next_at BIGINT,
  attempts INTEGER NOT NULL,
  carrier TEXT,
  extra TEXT NOT NULL,
  request_id TEXT NOT NULL,
  scheduled_for BIGINT,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX messages_org ON messages (org_id, mode, id);
CREATE INDEX messages_due ON messages (lane, org_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX messages_batch ON messages (batch_id, status) WHERE batch_id IS NOT NULL;

CREATE TABLE attempts (
  id TEXT NOT NULL PRIMARY KEY,
  message_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  channel TEXT NOT NULL,
  carrier TEXT NOT NULL,
  state TEXT NOT NULL,
  provider_id TEXT,
  error_code TEXT,
  detail TEXT,
  started_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX attempts_message ON attempts (message_id, number);
CREATE INDEX attempts_provider ON attempts (carrier, provider_id) WHERE provider_id IS NOT NULL;

CREATE TABLE message_events (
  id TEXT NOT NULL PRIMARY KEY,
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX message_events_message ON message_events (message_id, id);

CREATE TABLE receipts (
  carrier TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  status TEXT NOT NULL,
  message_id TEXT,
  error_code TEXT,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (carrier, provider_id, status)
);

-- Decisions that refused; those that allowed live in their message's row.
CREATE TABLE decisions (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  action TEXT NOT NULL,
  code TEXT NOT NULL,
  terms TEXT NOT NULL,
  request_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX decisions_org ON decisions (org_id, mode, id);

CREATE TABLE sandbox_inbox (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  message_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  sender TEXT,
  subject TEXT,
  body TEXT NOT NULL,
  received_at BIGINT NOT NULL
);
CREATE INDEX sandbox_inbox_org ON sandbox_inbox (org_id, mode, id);

-- Verifications --------------------------------------------------------------------------------------------------
CREATE TABLE verifications (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  recipient TEXT NOT NULL,
  recipient_mac BYTEA NOT NULL,
  country TEXT,
  channel TEXT NOT NULL,
  locale TEXT NOT NULL,
  code_length SMALLINT NOT NULL,
  resend_policy TEXT NOT NULL,
  status TEXT NOT NULL,
  checks INTEGER NOT NULL,
  max_checks INTEGER NOT NULL,
  sends INTEGER NOT NULL,
  step INTEGER NOT NULL,
  spec TEXT NOT NULL,
  request_id TEXT NOT NULL,
  last_send_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  decided_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX verifications_pending ON verifications (org_id, mode, recipient_mac) WHERE status = 'pending';
CREATE INDEX verifications_org ON verifications (org_id, mode, id);

CREATE TABLE verification_sends (
  verification_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  converted BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (verification_id, attempt)
);

-- Jobs -----------------------------------------------------------------------------------------------------------
CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  run_at BIGINT,
  attempts INTEGER NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE run_at IS NOT NULL;

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, ''::bytea);
