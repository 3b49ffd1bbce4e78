-- A business portfolio. What its numbers share is the tier: how many people may be written to in a moving 24 h.
CREATE TABLE whatsapp_portfolios (
  name TEXT NOT NULL PRIMARY KEY,
  ladder TEXT NOT NULL,           -- tiers or meta2026
  contact_limit BIGINT,           -- none: unlimited
  managed_by TEXT NOT NULL,       -- who moves the tier: postern, meta or operator
  tier_since BIGINT NOT NULL,
  told_at BIGINT NOT NULL,        -- Meta's latest word on the tier; an older one that comes late is passed over
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE whatsapp_numbers (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  phone TEXT NOT NULL,            -- E.164
  portfolio TEXT NOT NULL REFERENCES whatsapp_portfolios (name),
  waba_id TEXT,                   -- Meta's account that it is in; learned from its webhooks
  phone_number_id TEXT,           -- Meta's id of it: only the carrier of this id sends for it
  quality TEXT NOT NULL,          -- green, yellow or red
  quality_since BIGINT NOT NULL,
  throughput INTEGER NOT NULL,    -- messages a second
  status TEXT NOT NULL,           -- connected, paused or disconnected
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX whatsapp_numbers_phone ON whatsapp_numbers (phone);
CREATE INDEX whatsapp_numbers_org ON whatsapp_numbers (org_id, id);
CREATE INDEX whatsapp_numbers_portfolio ON whatsapp_numbers (portfolio);

-- How many contacts count: those of whatsapp_contacts behind forgotten_to. Locked by whoever counts another.
CREATE TABLE whatsapp_windows (
  portfolio TEXT NOT NULL,
  mode TEXT NOT NULL,
  used BIGINT NOT NULL,
  forgotten_to BIGINT NOT NULL,
  as_of BIGINT NOT NULL,
  PRIMARY KEY (portfolio, mode)
);

-- Who was written to outside a session, and when last.
CREATE TABLE whatsapp_contacts (
  portfolio TEXT NOT NULL,
  mode TEXT NOT NULL,
  contact BYTEA NOT NULL,         -- the number as guards know it
  last_at BIGINT NOT NULL,
  PRIMARY KEY (portfolio, mode, contact)
);
CREATE INDEX whatsapp_contacts_age ON whatsapp_contacts (portfolio, mode, last_at);

-- Whose number a business-scoped user id is: who has a user name may write without showing a number.
CREATE TABLE whatsapp_people (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  phone TEXT NOT NULL,            -- E.164
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, user_id)
);
CREATE INDEX whatsapp_people_phone ON whatsapp_people (org_id, phone);
CREATE INDEX whatsapp_people_age ON whatsapp_people (seen_at);

-- How many times its plan's share of sending requests an organization has, by the tier of its channel.
CREATE TABLE send_boosts (
  org_id TEXT NOT NULL PRIMARY KEY REFERENCES orgs (id),
  factor INTEGER NOT NULL
);

-- When it was written, by the channel; it may come to us days later.
ALTER TABLE inbound_messages ADD COLUMN sent_at BIGINT;
UPDATE inbound_messages SET sent_at = received_at;
