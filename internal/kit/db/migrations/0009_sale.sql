-- Sales and returns, under the member with whom they were born (a stand-in of the store
-- where nobody was named). Lines, payments and what was earned are packed; tables by line
-- are projections.
CREATE TABLE sale (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    source {{text}} NOT NULL,
    document {{text}} NOT NULL,
    store_id BIGINT NOT NULL,
    till {{text}} NOT NULL,
    staff {{text}} NOT NULL,
    channel {{text}} NOT NULL,
    currency {{text}} NOT NULL,
    total BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    posted_ms BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    of_member BIGINT NOT NULL,
    of_seq BIGINT NOT NULL,
    next_seq BIGINT NOT NULL,
    flags SMALLINT NOT NULL,
    body {{text}} NOT NULL,
    effect {{text}} NOT NULL,
    PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

-- Lists by time, newest first.
CREATE INDEX sale_time ON sale (at_ms, shard, member_id, seq);

-- Sales that nobody has claimed yet.
CREATE INDEX sale_unassigned ON sale (at_ms, shard, member_id, seq) WHERE owner_id = 0;

-- Sales that were assigned after they were made: part of their owner's list.
CREATE INDEX sale_assigned ON sale (owner_id, at_ms, shard, member_id, seq) WHERE owner_id <> member_id AND owner_id <> 0;

-- Returns that wait for their sale or need a person.
CREATE INDEX sale_open ON sale (state, at_ms, shard, member_id, seq) WHERE state > 0;
