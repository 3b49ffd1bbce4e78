ALTER TABLE api_keys DROP COLUMN statuses;
DROP TABLE activation_messages;
DROP TABLE activations;
DROP TABLE activation_places;
DROP TABLE activation_numbers;
DROP TABLE activation_services;
