-- Signed statements of where the audit chain ended. Those made by the clock have the period they are of, one each.
CREATE TABLE audit_checkpoints (
  id TEXT NOT NULL PRIMARY KEY,
  period BIGINT UNIQUE,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL,
  at BIGINT NOT NULL,
  node TEXT NOT NULL,
  signer TEXT NOT NULL,
  signature TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_checkpoints_by_seq ON audit_checkpoints (seq);

-- Copies of the database, asked for in the console or made at the machine.
CREATE TABLE backups (
  id TEXT NOT NULL PRIMARY KEY,
  file TEXT NOT NULL,
  status TEXT NOT NULL,
  author TEXT NOT NULL,
  bytes BIGINT,
  head TEXT,
  fault TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
) WITHOUT ROWID;
