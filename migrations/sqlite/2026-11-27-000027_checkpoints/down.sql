DROP TABLE backups;
DROP TABLE audit_checkpoints;
