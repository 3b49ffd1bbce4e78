DROP TABLE operator_guesses;
DROP TABLE operator_links;
DROP TABLE operator_sessions;
DROP TABLE operator_recovery;
DROP TABLE operator_logins;
ALTER TABLE operator_tokens DROP COLUMN role;
ALTER TABLE operators DROP COLUMN disabled_at;
