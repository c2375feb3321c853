-- The records that were merged into a member, and into those: packed numbers. What was counted
-- for one of them stays where it was counted; a limit of the member looks at all of them.
CREATE TABLE quota_kin (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	kin {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};
