DROP INDEX audit_log_request;
DROP TABLE request_log;
