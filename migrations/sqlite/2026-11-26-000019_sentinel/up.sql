-- What operators have stopped by the kill switch.
CREATE TABLE pauses (
  scope TEXT NOT NULL,                -- all, org, country or route
  value TEXT NOT NULL,                -- which one; empty for all
  reason TEXT,
  author TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope, value)
) WITHOUT ROWID;

-- Recorded traffic run through changed fraud rules.
CREATE TABLE fraud_simulations (
  id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  spec TEXT NOT NULL,                 -- JSON: what to run
  author TEXT NOT NULL,
  outcome TEXT,                       -- JSON: what came of it, or the fault
  created_at BIGINT NOT NULL,
  claimed_at BIGINT,                  -- a process has it in hand since
  finished_at BIGINT
) WITHOUT ROWID;

-- What operators are to be told by mail: one row a kind and organization, counted until it is told.
CREATE TABLE alerts (
  kind TEXT NOT NULL,
  org_id TEXT NOT NULL,               -- empty where it is nobody's
  count BIGINT NOT NULL,
  example TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  mailed_at BIGINT NOT NULL,          -- 0: never
  PRIMARY KEY (kind, org_id)
) WITHOUT ROWID;
