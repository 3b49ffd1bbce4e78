-- Test messages of operators by one carrier: no organization's, charged to nobody. The number is there, sealed, until
-- it is handed over, and masked from the beginning.
CREATE TABLE carrier_tests (
  id TEXT NOT NULL PRIMARY KEY,
  carrier TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,         -- masked
  address BYTEA,                    -- sealed; gone once a worker has it in hand
  template TEXT,                   -- the approved template that is sent instead of our own text
  author TEXT NOT NULL,            -- an operator's id
  status TEXT NOT NULL,            -- waiting, sending, accepted, refused, unknown or expired
  provider_id TEXT,
  error_code TEXT,
  detail TEXT,                     -- the carrier's words, redacted
  state TEXT,                      -- a final state that the carrier told at once
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT
);
CREATE INDEX carrier_tests_author ON carrier_tests (author, created_at);
CREATE INDEX carrier_tests_carrier ON carrier_tests (carrier, id);
