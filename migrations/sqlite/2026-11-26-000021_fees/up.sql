-- A price may be for the later segments of an SMS only.
ALTER TABLE prices ADD COLUMN segment SMALLINT NOT NULL DEFAULT 1;

-- What a plan costs a month, in each currency that invoices are written in. A fee acts from the first moment of a month.
CREATE TABLE plan_fees (
  plan TEXT NOT NULL,
  currency TEXT NOT NULL,
  since BIGINT NOT NULL,
  amount_micros BIGINT NOT NULL,
  PRIMARY KEY (plan, currency, since)
);

-- Which plan an organization was on from when on; none while its subscription was canceled. Invoices are written by it.
CREATE TABLE org_plans (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  since BIGINT NOT NULL,
  plan TEXT,
  PRIMARY KEY (org_id, since)
);
INSERT INTO org_plans (org_id, since, plan)
  SELECT id, created_at, CASE WHEN subscription_status = 'canceled' THEN NULL ELSE plan END FROM orgs;

-- A mail server that does not take an invoice is asked again later, and the others are not kept waiting.
ALTER TABLE invoices ADD COLUMN mail_tries SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN mail_at BIGINT NOT NULL DEFAULT 0;
