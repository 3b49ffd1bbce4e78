-- Services that codes are received for, and how their messages are known.
CREATE TABLE activation_services (
  code TEXT NOT NULL PRIMARY KEY,  -- the word clients order by
  name TEXT NOT NULL,
  senders TEXT NOT NULL,           -- JSON: who its messages come from; empty: anybody
  texts TEXT NOT NULL,             -- JSON: patterns of its texts; empty: any text
  price_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  country_prices TEXT NOT NULL,    -- JSON: micros by country, where they differ
  cool_down_ms BIGINT NOT NULL,    -- how long a number rests between two renters
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Numbers of the operator's own that can be rented.
CREATE TABLE activation_numbers (
  id TEXT NOT NULL PRIMARY KEY,
  phone TEXT NOT NULL,
  mode TEXT NOT NULL,              -- a test number is rented by test keys and reached by made-up messages only
  country TEXT NOT NULL,
  operator TEXT NOT NULL,
  every_service BOOLEAN NOT NULL,  -- serves those of later as well
  status TEXT NOT NULL,
  cool_down_ms BIGINT,             -- its own, instead of the service's
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activation_numbers_phone ON activation_numbers (phone);

-- A number's place for a service: one row, so that one renter at a time can hold it.
CREATE TABLE activation_places (
  number_id TEXT NOT NULL,
  service TEXT NOT NULL,
  offered BOOLEAN NOT NULL,
  activation_id TEXT,              -- who holds it
  free_at BIGINT NOT NULL,         -- rests until then
  PRIMARY KEY (number_id, service)
);
CREATE INDEX activation_places_free ON activation_places (service, free_at, number_id) WHERE activation_id IS NULL;

-- A number rented for a service, to receive a code.
CREATE TABLE activations (
  id TEXT NOT NULL PRIMARY KEY,
  serial BIGINT NOT NULL,          -- the id of the text endpoint, whose clients read a decimal
  org_id TEXT NOT NULL,
  mode TEXT NOT NULL,
  key_id TEXT NOT NULL,            -- the key it was ordered with
  service TEXT NOT NULL,
  number_id TEXT NOT NULL,
  phone TEXT NOT NULL,
  country TEXT NOT NULL,
  operator TEXT NOT NULL,
  status TEXT NOT NULL,
  hold TEXT NOT NULL,              -- held, settled or released
  price_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  messages INTEGER NOT NULL,       -- received
  cancel_at BIGINT NOT NULL,       -- may be cancelled from then on
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activations_serial ON activations (serial);
CREATE INDEX activations_org ON activations (org_id, mode, id);
CREATE INDEX activations_due ON activations (expires_at) WHERE ended_at IS NULL;
CREATE INDEX activations_number ON activations (number_id) WHERE ended_at IS NULL;

-- What came for an activation, sealed, for its renter alone.
CREATE TABLE activation_messages (
  id TEXT NOT NULL PRIMARY KEY,
  activation_id TEXT NOT NULL,
  carrier TEXT NOT NULL,
  provider_id TEXT NOT NULL,       -- the carrier's id of it: a repeat changes nothing
  sender TEXT NOT NULL,
  code BYTEA,                       -- none was found in it
  text BYTEA NOT NULL,
  received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activation_messages_once ON activation_messages (carrier, provider_id);
CREATE INDEX activation_messages_of ON activation_messages (activation_id, id);

-- How the text endpoint answers a key: always_200 or mapped; none: as configured.
ALTER TABLE api_keys ADD COLUMN statuses TEXT;
