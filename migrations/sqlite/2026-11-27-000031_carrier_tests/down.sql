DROP TABLE carrier_tests;
