ALTER TABLE operator_logins DROP COLUMN generation;
