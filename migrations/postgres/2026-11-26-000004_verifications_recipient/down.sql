DROP INDEX verifications_recipient;
