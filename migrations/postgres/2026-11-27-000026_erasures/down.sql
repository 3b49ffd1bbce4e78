DROP INDEX messages_bodies;
DROP TABLE erasures;
