DROP TABLE open_alerts;
