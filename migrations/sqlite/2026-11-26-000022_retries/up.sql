-- Two secrets may sign along with the present one: a second rotation within the day ends nobody's.
ALTER TABLE webhook_endpoints ADD COLUMN older_secret BLOB;
ALTER TABLE webhook_endpoints ADD COLUMN older_until BIGINT;

-- Mails to operators that are on their way: a row each until a mail server has taken it, or the last try is over.
CREATE TABLE alert_mails (
  id TEXT NOT NULL PRIMARY KEY,
  address TEXT NOT NULL,
  kind TEXT NOT NULL,
  org_id TEXT NOT NULL,
  count BIGINT NOT NULL,
  example TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  tries INTEGER NOT NULL,
  next_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alert_mails_next ON alert_mails (next_at);
