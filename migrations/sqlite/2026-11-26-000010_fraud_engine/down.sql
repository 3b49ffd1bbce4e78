DROP INDEX verifications_decided;
DROP TABLE fraud_holds;
DROP TABLE fraud_rules;
ALTER TABLE orgs DROP COLUMN guarding;
ALTER TABLE orgs DROP COLUMN learning_until;
