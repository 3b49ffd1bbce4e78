DROP TABLE alerts;
DROP TABLE fraud_simulations;
DROP TABLE pauses;
