DROP INDEX activation_messages_kept;
ALTER TABLE activation_messages DROP COLUMN purged_at;
DROP INDEX inbound_messages_kept;
ALTER TABLE inbound_messages DROP COLUMN purged_at;
