-- Texts of an organization's own: one per name, channel and locale. What is said stands in the versions.
CREATE TABLE templates (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  mode TEXT NOT NULL,
  name TEXT NOT NULL,
  channel TEXT NOT NULL,
  locale TEXT NOT NULL,
  category TEXT NOT NULL,
  latest INTEGER NOT NULL,            -- the version that is worked on, or was last
  live INTEGER,                       -- the version that sends, once one was approved
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX templates_own ON templates (org_id, mode, name, channel, locale);

CREATE TABLE template_versions (
  template_id TEXT NOT NULL REFERENCES templates (id),
  version INTEGER NOT NULL,
  status TEXT NOT NULL,
  words TEXT NOT NULL,                -- JSON: subject, body, footer, examples, button
  reason TEXT,                        -- of a refusal or a pause
  reviewer TEXT,                      -- the carrier that reviews it; none: an operator
  account TEXT,                       -- the carrier's account
  remote_name TEXT,                   -- its name there
  remote_id TEXT,                     -- its id there
  quality TEXT,
  told_at BIGINT,                     -- when the carrier last changed its state, by the carrier's clock
  submit_error TEXT,                  -- why the last try to submit it failed
  submitted_at BIGINT,
  decided_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (template_id, version)
);
CREATE INDEX template_versions_remote ON template_versions (account, remote_name);
