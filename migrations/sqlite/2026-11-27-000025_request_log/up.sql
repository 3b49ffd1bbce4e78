-- One row a request of the API: what it asked by its route's pattern (never its path: a path may hold a number), who,
-- and how it was answered. Its id holds its moment (UUIDv7), so that the primary key sorts by time. One that is
-- not `listed` counts the requests of a minute that got no line of their own.
CREATE TABLE request_log (
  id TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  listed BOOLEAN NOT NULL,
  requests BIGINT NOT NULL,
  org_id TEXT,
  key_id TEXT,
  operator_id TEXT,
  mode TEXT,
  method TEXT NOT NULL,
  route TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT,
  policy TEXT,
  deprecated BOOLEAN NOT NULL,
  duration_ms BIGINT NOT NULL,
  client_id TEXT,
  client_net TEXT,
  target TEXT,
  decision_id TEXT
) WITHOUT ROWID;
CREATE INDEX request_log_org ON request_log (org_id, id) WHERE org_id IS NOT NULL;
CREATE INDEX request_log_key ON request_log (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX request_log_code ON request_log (code, id) WHERE code IS NOT NULL;
CREATE INDEX request_log_target ON request_log (target, id) WHERE target IS NOT NULL;

-- Which changes a request made.
CREATE INDEX audit_log_request ON audit_log (request_id) WHERE request_id IS NOT NULL;
