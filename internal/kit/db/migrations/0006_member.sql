-- People: who they are, how they are found, what is known of them.
-- Personal values are inside member.sealed; identifier.hash and name_token.token are keyed
-- hashes. Booleans are 0 or 1, times Unix milliseconds UTC, 0 where there is none.

CREATE TABLE member (
  shard        SMALLINT NOT NULL,
  id           BIGINT   NOT NULL,
  version      BIGINT   NOT NULL,
  wrapped_key  {{bytes}} NOT NULL,
  sealed       {{bytes}} NOT NULL,
  gender       {{text}} NOT NULL,
  birth_year   SMALLINT NOT NULL,
  birth_md     SMALLINT NOT NULL,
  city         {{text}} NOT NULL,
  language     {{text}} NOT NULL,
  store_id     BIGINT   NOT NULL,
  source       {{text}} NOT NULL,
  joined_ms    BIGINT   NOT NULL,
  created_ms   BIGINT   NOT NULL,
  merged_into  BIGINT   NOT NULL DEFAULT 0,
  merge_height SMALLINT NOT NULL DEFAULT 0,
  PRIMARY KEY (shard, id)
) {{clustered}};

CREATE INDEX member_by_joined ON member (joined_ms, id);
CREATE INDEX member_by_merged ON member (merged_into) WHERE merged_into <> 0;

-- The blind index. shard is the first byte of the hash, not the member's: so the key that
-- makes an identifier unique over all members holds the distribution column. The hash
-- stands first, which is the same order, so that a list of hashes can be looked up alone.
CREATE TABLE identifier (
  shard        SMALLINT NOT NULL,
  hash         {{bytes}} NOT NULL,
  kind         {{text}} NOT NULL,
  member_id    BIGINT   NOT NULL,
  verified_ms  BIGINT   NOT NULL,
  source       {{text}} NOT NULL,
  added_ms     BIGINT   NOT NULL,
  PRIMARY KEY (hash, shard)
) {{clustered}};

CREATE INDEX identifier_by_member ON identifier (member_id);

-- Words of names. shard is the first byte of the token, as above.
CREATE TABLE name_token (
  shard        SMALLINT NOT NULL,
  token        BIGINT   NOT NULL,
  member_id    BIGINT   NOT NULL,
  PRIMARY KEY (shard, token, member_id)
) {{clustered}};

CREATE TABLE attribute (
  key          {{text}} NOT NULL PRIMARY KEY,
  kind         {{text}} NOT NULL,
  label_en     {{text}} NOT NULL,
  label_zh     {{text}} NOT NULL,
  choices      {{text}} NOT NULL,
  personal     SMALLINT NOT NULL,
  archived     SMALLINT NOT NULL
);

-- Values of attributes that are not personal. A text, a choice and a date stand in
-- text_value; a number in number_e4, in ten-thousandths, and a boolean as 0 or 10000.
CREATE TABLE member_attribute (
  shard        SMALLINT NOT NULL,
  member_id    BIGINT   NOT NULL,
  key          {{text}} NOT NULL,
  kind         {{text}} NOT NULL,
  text_value   {{text}} NOT NULL,
  number_e4    BIGINT   NOT NULL,
  PRIMARY KEY (shard, member_id, key)
) {{clustered}};

CREATE TABLE member_tag (
  shard        SMALLINT NOT NULL,
  member_id    BIGINT   NOT NULL,
  tag          {{text}} NOT NULL,
  PRIMARY KEY (shard, member_id, tag)
) {{clustered}};

CREATE INDEX member_tag_by_tag ON member_tag (tag, member_id);

-- Every merge and how it ended. member.merged_into is the pointer that stands now.
CREATE TABLE merge_link (
  shard        SMALLINT NOT NULL,
  from_id      BIGINT   NOT NULL,
  seq          BIGINT   NOT NULL,
  into_id      BIGINT   NOT NULL,
  at_ms        BIGINT   NOT NULL,
  by_whom      {{text}} NOT NULL,
  gained_tags  {{text}} NOT NULL,
  undone_ms    BIGINT   NOT NULL,
  undone_by    {{text}} NOT NULL,
  PRIMARY KEY (shard, from_id, seq)
) {{clustered}};

-- One row: which key file this database was written with.
CREATE TABLE key_mark (
  one          SMALLINT NOT NULL PRIMARY KEY,
  fingerprint  {{text}} NOT NULL
);
