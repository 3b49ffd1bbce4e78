-- One message to many contacts. Its contacts wait in broadcast_contacts and are fed to the messages in steps.
CREATE TABLE broadcasts (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  key_id TEXT NOT NULL,            -- whose standing decides: made, started or resumed with it
  batch_id TEXT NOT NULL,          -- the batch of its messages
  name TEXT NOT NULL,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  template TEXT,                   -- its template's name
  sender TEXT,                     -- who it comes from, where it says so
  said BLOB NOT NULL,              -- what every contact is told, sealed
  status TEXT NOT NULL,
  reason TEXT,                     -- why it paused or stopped by itself: an error code
  turn BIGINT NOT NULL,            -- counts claims and changes: a step of an older turn writes nothing
  next_at BIGINT,                  -- when the worker looks again; null while nothing is to be done
  width SMALLINT NOT NULL,         -- contacts of the next step at most
  next_row INTEGER NOT NULL,       -- the row that the next contact gets
  contacts INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,     -- rows dropped because their contact was there
  opted_out INTEGER NOT NULL,      -- contacts that had opted out when they were added
  accepted INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  refusals TEXT NOT NULL,          -- JSON: refused contacts by error code
  request_id TEXT NOT NULL,        -- the request that set it going
  scheduled_for BIGINT,
  started_at BIGINT,
  ended_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX broadcasts_org ON broadcasts (org_id, mode, id);
CREATE INDEX broadcasts_due ON broadcasts (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE broadcast_contacts (
  broadcast_id TEXT NOT NULL,
  row_no INTEGER NOT NULL,         -- in the order they were added, from 1
  recipient TEXT NOT NULL,
  own BLOB,                        -- its own parameters and language, sealed; gone once it is sent
  due_at BIGINT,                   -- waits until then; null once it was accepted or refused
  tries SMALLINT NOT NULL,         -- how often no carrier was there for it
  message_id TEXT,
  error_code TEXT,
  PRIMARY KEY (broadcast_id, row_no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX broadcast_contacts_once ON broadcast_contacts (broadcast_id, recipient);
CREATE INDEX broadcast_contacts_due ON broadcast_contacts (broadcast_id, due_at, row_no) WHERE due_at IS NOT NULL;
