-- What an organization may spend in a window: in all, by one key, to one country or to one prefix.
CREATE TABLE spend_caps (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  scope TEXT NOT NULL,            -- org, key, country or prefix
  value TEXT NOT NULL,            -- the key's id, the country, the prefix; '*' for every country on its own, '' for org
  window_ms BIGINT NOT NULL,
  amount_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, scope, value, window_ms)
);

-- What has been spent under a cap, in parts of its window. One row for each cap in use; for '*' one for each country.
CREATE TABLE spend_windows (
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  scope TEXT NOT NULL,
  value TEXT NOT NULL,
  window_ms BIGINT NOT NULL,
  spent BLOB NOT NULL,
  told SMALLINT NOT NULL,         -- the share in percent that an alert has been given for
  as_of BIGINT NOT NULL,
  PRIMARY KEY (org_id, mode, scope, value, window_ms)
) WITHOUT ROWID;
CREATE INDEX spend_windows_age ON spend_windows (as_of);
