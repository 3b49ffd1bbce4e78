DROP INDEX audit_log_action;
DROP TABLE open_alerts;
