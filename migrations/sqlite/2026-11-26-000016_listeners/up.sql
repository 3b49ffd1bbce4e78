-- Developers that hear an organization's events for a while (`postern listen`): a lease, over unless it is renewed.
CREATE TABLE webhook_listeners (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  events TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_listeners_org ON webhook_listeners (org_id, mode, id);
CREATE INDEX webhook_listeners_end ON webhook_listeners (expires_at);

-- What a listener has not said yet that it has. A row for each, and no position in a list: events are committed in
-- another order than their ids are made.
CREATE TABLE webhook_unheard (
  listener_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  PRIMARY KEY (listener_id, event_id)
) WITHOUT ROWID;
