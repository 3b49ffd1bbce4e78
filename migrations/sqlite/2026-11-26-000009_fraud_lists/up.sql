-- Numbers, prefixes, addresses and devices that are let through or kept out, whatever else is seen of them.
CREATE TABLE fraud_lists (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT REFERENCES orgs (id),   -- none: for everybody
  mode TEXT,                          -- of an organization: for its live or its test messages
  action TEXT NOT NULL,               -- allow or block
  kind TEXT NOT NULL,                 -- number, prefix, ip or device
  value TEXT NOT NULL,
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  expires_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX fraud_lists_org ON fraud_lists (org_id, mode, id);

-- What processes keep in memory, and how often it has been changed: who knows the number need not read it anew.
CREATE TABLE versions (
  name TEXT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO versions (name, version) VALUES ('fraud_lists', 0);
