-- What makes JSON is spelled differently by the engines; see the twin of this file.

-- Events as they were written, each in the transaction of the change that it tells: the
-- events of a batch lie packed in few rows, n in each, as package event says. at_ms is when
-- a posting wrote the row, 0 for other writers. The dispatcher empties this table.
CREATE TABLE outbox_before AS SELECT * FROM outbox;

DROP TABLE outbox;

CREATE TABLE outbox (
	id {{identity}},
	n INTEGER NOT NULL,
	at_ms BIGINT NOT NULL,
	events {{bytes}} NOT NULL
);

-- What waits from before this version: one event a row, as a JSON list.
INSERT INTO outbox (n, at_ms, events)
SELECT 1, 0, CAST(json_array(json_object('m', member_id, 't', at_ms, 'k', kind, 'b', body)) AS BLOB)
FROM outbox_before
ORDER BY id;

DROP TABLE outbox_before;

-- The time of the newest posting that has been dispatched. Until there is one, no time of
-- before this version is later than that of the newest request.
ALTER TABLE event_dispatcher ADD COLUMN at_ms BIGINT NOT NULL DEFAULT 0;

UPDATE event_dispatcher SET at_ms = COALESCE((SELECT MAX(at_ms) FROM request), 0);

-- An index that every sale paid for: old requests are found by going over all of them in a
-- few days.
DROP INDEX request_by_time;
