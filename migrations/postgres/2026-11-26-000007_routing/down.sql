DROP TABLE senders;
DROP TABLE carrier_drains;
DROP TABLE route_events;
ALTER TABLE attempts DROP COLUMN route_id;
ALTER TABLE routes DROP COLUMN price_currency;
ALTER TABLE routes DROP COLUMN price_micros;
