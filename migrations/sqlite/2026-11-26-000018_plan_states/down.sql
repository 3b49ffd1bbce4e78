DROP TABLE allowances;
DROP INDEX orgs_next_plan;
ALTER TABLE orgs DROP COLUMN next_plan_at;
ALTER TABLE orgs DROP COLUMN next_plan;
