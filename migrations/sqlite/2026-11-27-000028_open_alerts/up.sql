-- What operators see on the console of what they are told of: one row a kind and organization, opened anew where it was
-- quiet for long.
CREATE TABLE open_alerts (
  kind TEXT NOT NULL,
  org_id TEXT NOT NULL,               -- empty where it is nobody's
  id TEXT NOT NULL,                   -- of this opening; sorts by its time
  example TEXT NOT NULL,              -- the latest, in a line
  total BIGINT NOT NULL,              -- how often since it was opened
  opened_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  stretch_at BIGINT NOT NULL,         -- the stretch of time that is counted now began
  stretch_count BIGINT NOT NULL,
  before_count BIGINT NOT NULL,       -- in the stretch before
  acknowledged_at BIGINT,
  acknowledged_by TEXT,               -- an operator's id
  acknowledged_total BIGINT,          -- how often it had happened then
  acknowledged_reason TEXT,
  PRIMARY KEY (kind, org_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX open_alerts_id ON open_alerts (id);

-- Counts of one kind of change, such as reported mistakes of the fraud guard.
CREATE INDEX audit_log_action ON audit_log (action, at);
