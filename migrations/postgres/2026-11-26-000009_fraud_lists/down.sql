DROP TABLE versions;
DROP TABLE fraud_lists;
