ALTER TABLE invoices DROP COLUMN mail_at;
ALTER TABLE invoices DROP COLUMN mail_tries;
DROP TABLE org_plans;
DROP TABLE plan_fees;
ALTER TABLE prices DROP COLUMN segment;
