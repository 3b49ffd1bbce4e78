-- The ledger: every entry moves its amount from the account `contra` to the account `account`, so all accounts
-- together are zero after each. A customer's own account is 'wallet'; the others are 'revenue', 'funding',
-- 'adjustments', 'cost' and one 'carrier:NAME' for each carrier.
ALTER TABLE wallet_entries ADD COLUMN account TEXT NOT NULL DEFAULT 'wallet';
ALTER TABLE wallet_entries ADD COLUMN contra TEXT NOT NULL DEFAULT 'revenue';
ALTER TABLE wallet_entries ADD COLUMN attempt_id TEXT;   -- the hand-off that a cost is for
ALTER TABLE wallet_entries ADD COLUMN reference TEXT;    -- the payment that a top-up is for
ALTER TABLE wallet_entries ADD COLUMN key_id TEXT;       -- what invoices and reports tell apart; messages are purged
ALTER TABLE wallet_entries ADD COLUMN channel TEXT;
ALTER TABLE wallet_entries ADD COLUMN country TEXT;
ALTER TABLE wallet_entries ADD COLUMN parts INTEGER;
UPDATE wallet_entries SET contra = 'adjustments' WHERE kind = 'adjustment';
UPDATE wallet_entries SET contra = 'funding' WHERE kind = 'topup';
CREATE UNIQUE INDEX wallet_entries_attempt ON wallet_entries (attempt_id) WHERE attempt_id IS NOT NULL;

-- What a hand-off costs us if the carrier takes it.
ALTER TABLE attempts ADD COLUMN cost_micros BIGINT;
ALTER TABLE attempts ADD COLUMN cost_currency TEXT;

-- A price is charged at hand-off or at delivery; a line that a new list leaves out is kept as history.
ALTER TABLE prices ADD COLUMN charged_at TEXT NOT NULL DEFAULT 'hand_off';
ALTER TABLE prices ADD COLUMN retired_at BIGINT;

-- Handed over, to be charged at delivery, and no word of it yet: let go after a week.
CREATE INDEX messages_unproven ON messages (updated_at) WHERE hold = 'for_delivery';
