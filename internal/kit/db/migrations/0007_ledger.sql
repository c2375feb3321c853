-- Point currencies and their policies. One row changes at a time; version counts all changes.
CREATE TABLE currency (
    id BIGINT NOT NULL PRIMARY KEY,
    code {{text}} NOT NULL UNIQUE,
    kind {{text}} NOT NULL,
    name_en {{text}} NOT NULL,
    name_zh {{text}} NOT NULL,
    policy {{text}} NOT NULL,
    active SMALLINT NOT NULL,
    version BIGINT NOT NULL
);

-- The row of a member that a posting locks. Stand-ins for sales without a member have
-- negative numbers.
CREATE TABLE account (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    entry_n BIGINT NOT NULL,
    sale_n BIGINT NOT NULL,
    event_n BIGINT NOT NULL,
    may_earn SMALLINT NOT NULL,
    may_spend SMALLINT NOT NULL,
    merged_into BIGINT NOT NULL,
    first_hold BIGINT NOT NULL,
    PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE TABLE wallet (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    currency_id BIGINT NOT NULL,
    active BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    held BIGINT NOT NULL,
    debt BIGINT NOT NULL,
    earned BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    held_ever BIGINT NOT NULL,
    first_open BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    slide_ms BIGINT NOT NULL,
    days {{text}} NOT NULL,
    PRIMARY KEY (shard, member_id, currency_id)
) {{clustered}};

-- The daily run: whose wallets have something to be written down.
CREATE INDEX wallet_due ON wallet (next_ms, shard, member_id) WHERE next_ms < 253402300799999;

CREATE TABLE lot (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    currency_id BIGINT NOT NULL,
    bucket SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    issuer_id BIGINT NOT NULL,
    store_id BIGINT NOT NULL,
    month INTEGER NOT NULL,
    earned_ms BIGINT NOT NULL,
    active_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    left_n BIGINT NOT NULL,
    held BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    clawed BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    origin_member BIGINT NOT NULL,
    origin_seq BIGINT NOT NULL,
    via_member BIGINT NOT NULL,
    via_seq BIGINT NOT NULL,
    PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE TABLE hold (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    currency_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    amount BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    purpose {{text}} NOT NULL,
    lots {{text}} NOT NULL,
    PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE TABLE entry (
    shard SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    currency_id BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    pending BIGINT NOT NULL,
    active BIGINT NOT NULL,
    held BIGINT NOT NULL,
    debt BIGINT NOT NULL,
    after_active BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    posted_ms BIGINT NOT NULL,
    touches {{text}} NOT NULL,
    cause_kind SMALLINT NOT NULL,
    cause_member BIGINT NOT NULL,
    cause_seq BIGINT NOT NULL,
    source {{text}} NOT NULL,
    document {{text}} NOT NULL,
    reason {{text}} NOT NULL,
    rule {{text}} NOT NULL,
    store_id BIGINT NOT NULL,
    actor {{text}} NOT NULL,
    salt {{bytes}} NOT NULL,
    digest {{bytes}} NOT NULL,
    PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

-- Natural keys, for ever: which row a document of a source became. shard is the first
-- byte of the hash, so that the key is unique over all members on every engine.
CREATE TABLE document (
    shard SMALLINT NOT NULL,
    hash {{bytes}} NOT NULL,
    kind SMALLINT NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    content {{bytes}} NOT NULL,
    PRIMARY KEY (shard, hash)
) {{clustered}};

-- Adjustments that wait for a second person.
CREATE TABLE approval (
    id BIGINT NOT NULL PRIMARY KEY,
    member_id BIGINT NOT NULL,
    currency_id BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    reason {{text}} NOT NULL,
    store_id BIGINT NOT NULL,
    issuer_id BIGINT NOT NULL,
    state {{text}} NOT NULL,
    asked_by {{text}} NOT NULL,
    asked_ms BIGINT NOT NULL,
    decided_by {{text}} NOT NULL,
    decided_ms BIGINT NOT NULL,
    entry_member BIGINT NOT NULL, -- what it was posted as; 0 before
    entry_seq BIGINT NOT NULL
);
CREATE INDEX approval_open ON approval (state, id);
