-- Jobs that wait, run, or have given up. A finished one is deleted.
CREATE TABLE jobs (
	id         TEXT COLLATE "C" PRIMARY KEY,
	name       TEXT COLLATE "C" NOT NULL,
	args       TEXT NOT NULL,
	unique_key TEXT COLLATE "C" NOT NULL DEFAULT '',
	priority   BIGINT NOT NULL DEFAULT 0,
	state      TEXT COLLATE "C" NOT NULL,
	-- When a waiting job may start, or when a running one is taken for lost: a
	-- lease is nothing but a later due time, so one condition claims both.
	due_at     BIGINT NOT NULL,
	attempts   BIGINT NOT NULL DEFAULT 0,
	worker     TEXT COLLATE "C" NOT NULL DEFAULT '',
	created_at BIGINT NOT NULL,
	failed_at  BIGINT NOT NULL DEFAULT 0,
	reason     TEXT COLLATE "C" NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX jobs_due ON jobs (priority, due_at, id) WHERE state <> 'dead';
CREATE INDEX jobs_next ON jobs (due_at) WHERE state <> 'dead';
-- One waiting job per key. A running one does not count: it may have read
-- the facts before they changed, so the change deserves a run of its own.
CREATE UNIQUE INDEX jobs_unique_waiting ON jobs (name, unique_key) WHERE state = 'waiting' AND unique_key <> '';

-- The last tick that each schedule was enqueued for, by whichever server came first.
CREATE TABLE jobs_ticks (
	name TEXT COLLATE "C" NOT NULL,
	tick BIGINT NOT NULL,
	PRIMARY KEY (name, tick)
);
