-- A message that somebody sent to one of our originators. Kept as long as messages are.
CREATE TABLE inbound_messages (
  id TEXT NOT NULL PRIMARY KEY,
  carrier TEXT NOT NULL,
  provider_id TEXT NOT NULL,      -- the carrier's id: a repeat is known by it
  org_id TEXT,                    -- whose originator it was sent to; none where several share it
  mode TEXT NOT NULL,
  channel TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  body BYTEA NOT NULL,             -- sealed
  keyword TEXT,                   -- stop, start or help, where that is all it says
  received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbound_messages_once ON inbound_messages (carrier, provider_id);
CREATE INDEX inbound_messages_org ON inbound_messages (org_id, mode, id);
CREATE INDEX inbound_messages_sender ON inbound_messages (org_id, mode, channel, sender, id);

-- Who wants no messages but codes. org_id '*' is every organization: it was said to an originator that several share.
CREATE TABLE opt_outs (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  source TEXT NOT NULL,           -- inbound or api
  inbound_id TEXT,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX opt_outs_recipient ON opt_outs (recipient, channel, mode, org_id);
CREATE INDEX opt_outs_org ON opt_outs (org_id, mode, id);
