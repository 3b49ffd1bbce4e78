-- What a carrier charges us by a route: each segment of an SMS, or each message. Null: not known.
ALTER TABLE routes ADD COLUMN price_micros BIGINT;
ALTER TABLE routes ADD COLUMN price_currency TEXT;

-- The route a hand-off went by, so that what became of it can be told by route. Null for test messages and old rows.
ALTER TABLE attempts ADD COLUMN route_id TEXT;

-- How the circuits of routes, and of carriers where there is no route, opened and closed, as each node saw it.
CREATE TABLE route_events (
  id TEXT NOT NULL PRIMARY KEY,
  route_id TEXT,
  carrier TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  node_id TEXT NOT NULL,
  at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX route_events_route ON route_events (route_id, id);
CREATE INDEX route_events_carrier ON route_events (carrier, id);

-- Carriers that take no new hand-offs; a row is there while the drain lasts.
CREATE TABLE carrier_drains (
  carrier TEXT NOT NULL PRIMARY KEY,
  since BIGINT NOT NULL
) WITHOUT ROWID;

-- Who a message may come from. No organization: shared by all.
CREATE TABLE senders (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  country TEXT,
  carrier TEXT,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX senders_address ON senders (channel, address);
CREATE INDEX senders_org ON senders (org_id, id);
