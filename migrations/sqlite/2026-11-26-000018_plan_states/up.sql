-- A plan that an organization changes to at the next cycle.
ALTER TABLE orgs ADD COLUMN next_plan TEXT;
ALTER TABLE orgs ADD COLUMN next_plan_at BIGINT;
CREATE INDEX orgs_next_plan ON orgs (next_plan_at) WHERE next_plan_at IS NOT NULL;

-- How much of a month's allowance an organization on the free plan has used.
CREATE TABLE allowances (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  month TEXT NOT NULL,            -- 2026-11
  used BIGINT NOT NULL,
  PRIMARY KEY (org_id, month)
);
