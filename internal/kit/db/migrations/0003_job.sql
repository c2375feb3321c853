-- Work to be done outside a request. A worker leases a row, and whoever finds a lease
-- run out takes the row over.
CREATE TABLE job (
	id {{identity}},
	queue {{text}} NOT NULL,
	kind {{text}} NOT NULL,
	args {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('ready', 'running', 'done', 'failed', 'cancelled')),
	run_at_ms BIGINT NOT NULL,
	tries INTEGER NOT NULL,
	max_tries INTEGER NOT NULL,
	unique_key {{text}},
	lease_until_ms BIGINT NOT NULL,
	lease_owner {{text}} NOT NULL,
	progress BIGINT NOT NULL,
	progress_total BIGINT NOT NULL,
	note {{text}} NOT NULL,
	error {{text}} NOT NULL,
	created_ms BIGINT NOT NULL,
	done_ms BIGINT
);

-- What may be claimed next.
CREATE INDEX job_ready ON job (queue, run_at_ms, id) WHERE state = 'ready';

-- Leases, to renew and to find those run out.
CREATE INDEX job_running ON job (lease_until_ms) WHERE state = 'running';

-- One unfinished job per key.
CREATE UNIQUE INDEX job_unique ON job (kind, unique_key) WHERE state IN ('ready', 'running');

-- What the purge may drop.
CREATE INDEX job_finished ON job (done_ms) WHERE state IN ('done', 'cancelled');

-- Lists by kind and by state, newest first.
CREATE INDEX job_by_kind ON job (kind, id);
CREATE INDEX job_by_state ON job (state, id);

-- The newest slot of each periodic kind that was planned: what makes one run per slot.
CREATE TABLE job_schedule (
	kind {{text}} NOT NULL PRIMARY KEY,
	slot_ms BIGINT NOT NULL
) {{clustered}};
