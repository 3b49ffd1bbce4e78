-- Since when an operator may do nothing; their tokens and sessions count for nothing.
ALTER TABLE operators ADD COLUMN disabled_at BIGINT;
-- What a token may do at most, where that is less than its operator may.
ALTER TABLE operator_tokens ADD COLUMN role TEXT;

-- How an operator signs in to the console.
CREATE TABLE operator_logins (
  operator_id TEXT NOT NULL PRIMARY KEY,
  password TEXT NOT NULL,          -- argon2id, as a PHC string
  password_at BIGINT NOT NULL,     -- when it was chosen
  totp BYTEA,                       -- the second factor's secret, sealed
  totp_at BIGINT,                  -- when it was enrolled
  totp_step BIGINT NOT NULL        -- the last step that was accepted: each is taken once
);

-- Codes that stand in for a lost second factor, once each.
CREATE TABLE operator_recovery (
  operator_id TEXT NOT NULL,
  mac BYTEA NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (operator_id, mac)
);

-- Sessions of the console; an ended one is gone.
CREATE TABLE operator_sessions (
  id TEXT NOT NULL PRIMARY KEY,
  operator_id TEXT NOT NULL,
  hash BYTEA NOT NULL,              -- SHA-256 of the cookie
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,         -- written once a minute at most
  proved_at BIGINT NOT NULL,       -- when the password was last given
  address TEXT NOT NULL,
  agent TEXT NOT NULL
);
CREATE UNIQUE INDEX operator_sessions_hash ON operator_sessions (hash);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id, id);

-- Links by which a password is chosen, once each.
CREATE TABLE operator_links (
  mac BYTEA NOT NULL PRIMARY KEY,
  operator_id TEXT,                -- whose password; absent: makes the first owner
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

-- Guesses of the last minutes: of an account, from an address, by a known device.
CREATE TABLE operator_guesses (
  scope TEXT NOT NULL PRIMARY KEY, -- its kind and a MAC
  marks BYTEA NOT NULL,             -- when: eight bytes each, oldest first
  refused BIGINT NOT NULL,         -- how many were refused since the last that was judged
  seen_at BIGINT NOT NULL
);
CREATE INDEX operator_guesses_seen ON operator_guesses (seen_at);
