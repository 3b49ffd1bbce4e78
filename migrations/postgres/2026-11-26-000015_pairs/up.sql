-- How far ahead of its pace a WhatsApp number is with one recipient: Meta lets a number write to one person once in six
-- seconds. Who is not ahead has no row.
CREATE TABLE pairs (
  carrier TEXT NOT NULL,
  recipient BYTEA NOT NULL,   -- a keyed hash
  due_at BIGINT NOT NULL,  -- when the next one is due at an even pace
  PRIMARY KEY (recipient, carrier)
);
CREATE INDEX pairs_due ON pairs (due_at);
