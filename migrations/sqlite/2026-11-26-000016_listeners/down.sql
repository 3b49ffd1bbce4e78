DROP TABLE webhook_unheard;
DROP TABLE webhook_listeners;
