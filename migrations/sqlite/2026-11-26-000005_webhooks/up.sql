-- Where an organization wants to be told of what happens. Secrets are sealed.
CREATE TABLE webhook_endpoints (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  events TEXT NOT NULL,
  status TEXT NOT NULL,
  disabled_reason TEXT,
  secret BLOB NOT NULL,
  old_secret BLOB,
  old_until BIGINT,
  failing_since BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_endpoints_org ON webhook_endpoints (org_id, mode, id);

-- What happened and was wanted by at least one endpoint; the payload is sent byte for byte.
CREATE TABLE webhook_events (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_events_org ON webhook_events (org_id, mode, id);

-- One event on its way to one endpoint. Lane 0: never tried; 1: tried before.
CREATE TABLE webhook_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  endpoint_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  status TEXT NOT NULL,
  lane SMALLINT NOT NULL,
  next_at BIGINT,
  attempts INTEGER NOT NULL,
  http_status INTEGER,
  error TEXT,
  duration_ms BIGINT,
  attempted_at BIGINT,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (lane, endpoint_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
