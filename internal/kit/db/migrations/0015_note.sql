-- What staff write about members and mean to do for them. The texts are sealed under the
-- member's record key. member_id is the record that a row was written under: a merge moves
-- nothing. Times are Unix milliseconds UTC, 0 where there is none; people are named as in
-- "staff:stf_…".

CREATE TABLE note (
  shard        SMALLINT NOT NULL,
  member_id    BIGINT   NOT NULL,
  id           BIGINT   NOT NULL,
  version      BIGINT   NOT NULL,
  text         {{bytes}} NOT NULL,
  pinned       SMALLINT NOT NULL CHECK (pinned IN (0, 1)),
  author       {{text}} NOT NULL,
  at_ms        BIGINT   NOT NULL,
  edited_ms    BIGINT   NOT NULL,
  deleted_ms   BIGINT   NOT NULL,
  deleted_by   {{text}} NOT NULL,
  PRIMARY KEY (shard, member_id, id)
) {{clustered}};

-- A member's notes, newest first.
CREATE INDEX note_by_time ON note (shard, member_id, at_ms, id);

-- Telephone calls that were logged. at_ms is when the call was, added_ms when it was logged.
CREATE TABLE call (
  shard        SMALLINT NOT NULL,
  member_id    BIGINT   NOT NULL,
  id           BIGINT   NOT NULL,
  text         {{bytes}} NOT NULL,
  direction    {{text}} NOT NULL CHECK (direction IN ('in', 'out')),
  outcome      {{text}} NOT NULL,
  at_ms        BIGINT   NOT NULL,
  duration_s   BIGINT   NOT NULL,
  author       {{text}} NOT NULL,
  added_ms     BIGINT   NOT NULL,
  deleted_ms   BIGINT   NOT NULL,
  deleted_by   {{text}} NOT NULL,
  PRIMARY KEY (shard, member_id, id)
) {{clustered}};

-- A member's calls, latest first.
CREATE INDEX call_by_time ON call (shard, member_id, at_ms, id);

-- Follow-up tasks. owner is a colleague, "stf_…", or '' for nobody yet. due_ms is exclusive;
-- whole_day says that only the day before it was named. armed says that the reminder of
-- remind_ms has still to be given.
CREATE TABLE task (
  shard        SMALLINT NOT NULL,
  member_id    BIGINT   NOT NULL,
  id           BIGINT   NOT NULL,
  version      BIGINT   NOT NULL,
  text         {{bytes}} NOT NULL,
  outcome      {{bytes}} NOT NULL,
  state        {{text}} NOT NULL CHECK (state IN ('open', 'done')),
  owner        {{text}} NOT NULL,
  due_ms       BIGINT   NOT NULL,
  whole_day    SMALLINT NOT NULL CHECK (whole_day IN (0, 1)),
  remind_ms    BIGINT   NOT NULL,
  armed        SMALLINT NOT NULL CHECK (armed IN (0, 1)),
  author       {{text}} NOT NULL,
  added_ms     BIGINT   NOT NULL,
  done_by      {{text}} NOT NULL,
  done_ms      BIGINT   NOT NULL,
  PRIMARY KEY (shard, member_id, id)
) {{clustered}};

-- A member's tasks, what is due first; everybody's; and those of one colleague.
CREATE INDEX task_by_member ON task (shard, member_id, state, due_ms, id);
CREATE INDEX task_by_due ON task (state, due_ms, id);
CREATE INDEX task_by_owner ON task (owner, state, due_ms, id);
