-- What a known device must have been known under: it counts up when all devices of an operator are to be forgotten.
ALTER TABLE operator_logins ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
