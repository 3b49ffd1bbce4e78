-- The processes that share this database: each writes its row every few seconds and takes it away when it stops.
CREATE TABLE nodes (
  id TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);
