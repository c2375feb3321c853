-- Lots stand in line where the order of their numbers is the order in which they are spent:
-- a spending reads the first of them along the primary key. The few others are strays, and
-- an index leads to those that are open; closed ones are none. What the last in line ends
-- and was earned at says whether the next lot may join.
ALTER TABLE lot ADD COLUMN stray SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE wallet ADD COLUMN line_expires_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wallet ADD COLUMN line_earned_ms BIGINT NOT NULL DEFAULT 0;

-- Nobody has looked at the order of the lots that are there: they count as strays.
UPDATE lot SET stray = 1 WHERE left_n > 0;
UPDATE wallet SET first_open = 0;

CREATE INDEX lot_stray ON lot (shard, member_id, currency_id, expires_ms, earned_ms, seq) WHERE stray = 1;

-- Where lots went that a merge moved: for returns of what a merged member had bought.
CREATE INDEX lot_origin ON lot (shard, member_id, origin_member, origin_seq) WHERE origin_member <> 0;
