-- What a member did by day, packed: written by the postings, read by conditions and tiers.
ALTER TABLE account ADD COLUMN activity {{bytes}} NOT NULL DEFAULT '';
