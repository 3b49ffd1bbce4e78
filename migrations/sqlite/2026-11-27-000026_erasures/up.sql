-- A person's number or mail address that is to be erased, and afterwards the proof that it was.
CREATE TABLE erasures (
  id TEXT NOT NULL PRIMARY KEY,
  status TEXT NOT NULL,           -- waiting, running, done or failed
  subject TEXT NOT NULL,          -- the keyed hash that stands in the address's place
  address BLOB,                   -- sealed; gone once it is done
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  request_id TEXT,
  erased TEXT NOT NULL,           -- JSON: rows by table
  left_over TEXT NOT NULL,        -- JSON: rows by table that the last pass still found
  error TEXT,                     -- why it waits
  next_at BIGINT,                 -- when the worker looks again; null once it has ended
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
) WITHOUT ROWID;
CREATE INDEX erasures_due ON erasures (next_at) WHERE next_at IS NOT NULL;

-- Texts of messages with which nothing is left to do: purged before the messages are. A message enters this index when
-- it ends, never when it is accepted.
CREATE INDEX messages_bodies ON messages (id) WHERE content IS NOT NULL AND next_at IS NULL;
