-- When what somebody wrote, or what a rented number received, was purged: an empty text stands in its place, sealed, so
-- that an older release that runs beside this one can still open it.
ALTER TABLE inbound_messages ADD COLUMN purged_at BIGINT;
CREATE INDEX inbound_messages_kept ON inbound_messages (id) WHERE purged_at IS NULL;

ALTER TABLE activation_messages ADD COLUMN purged_at BIGINT;
CREATE INDEX activation_messages_kept ON activation_messages (id) WHERE purged_at IS NULL;
