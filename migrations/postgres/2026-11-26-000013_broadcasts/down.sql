DROP TABLE broadcast_contacts;
DROP TABLE broadcasts;
