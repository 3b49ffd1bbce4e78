-- The pending verification of a number is found along this: a bound status keeps SQLite and PostgreSQL's prepared plans
-- from the partial index that lets only one be pending.
CREATE INDEX verifications_recipient ON verifications (org_id, mode, recipient_mac);
