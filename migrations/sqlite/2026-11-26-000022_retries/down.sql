DROP TABLE alert_mails;
ALTER TABLE webhook_endpoints DROP COLUMN older_until;
ALTER TABLE webhook_endpoints DROP COLUMN older_secret;
