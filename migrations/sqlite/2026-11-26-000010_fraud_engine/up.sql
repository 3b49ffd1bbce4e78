-- Until when the engine only watches a new organization, and what it has chosen beside its level.
ALTER TABLE orgs ADD COLUMN learning_until BIGINT;
ALTER TABLE orgs ADD COLUMN guarding TEXT NOT NULL DEFAULT '{}';

-- The engine's rule sets: one row a change, the highest version acts. None: the built-in one.
CREATE TABLE fraud_rules (
  version BIGINT NOT NULL PRIMARY KEY,
  rules TEXT NOT NULL,                -- JSON
  author TEXT NOT NULL,
  reason TEXT,
  created_at BIGINT NOT NULL
);

-- Groups of attempts that were held.
CREATE TABLE fraud_holds (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  shown TEXT NOT NULL,                -- the group, e.g. block4:+3712012
  plan TEXT NOT NULL,                 -- JSON: group, end, repetitions
  origin TEXT NOT NULL,               -- JSON: where its attempt belonged
  reasons TEXT NOT NULL,              -- JSON: why
  begun_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  ended_at BIGINT,
  ended_by TEXT,                      -- engine, or the operator
  changed_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX fraud_holds_org ON fraud_holds (org_id, mode, id);
CREATE INDEX fraud_holds_changed ON fraud_holds (changed_at);

-- The engine learns along this who has verified since.
CREATE INDEX verifications_decided ON verifications (decided_at) WHERE decided_at IS NOT NULL;
