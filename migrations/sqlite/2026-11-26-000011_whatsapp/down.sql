ALTER TABLE inbound_messages DROP COLUMN sent_at;
DROP TABLE send_boosts;
DROP TABLE whatsapp_people;
DROP TABLE whatsapp_contacts;
DROP TABLE whatsapp_windows;
DROP TABLE whatsapp_numbers;
DROP TABLE whatsapp_portfolios;
