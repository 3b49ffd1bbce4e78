DROP TABLE invoices;
DROP TABLE counters;
DROP TABLE billing_profiles;
DROP TABLE wallet_settings;
DROP TABLE topups;
