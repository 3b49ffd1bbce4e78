-- A purge finds old receipts along this.
CREATE INDEX receipts_age ON receipts (received_at);
