DROP INDEX receipts_age;
