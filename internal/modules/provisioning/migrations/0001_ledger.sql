-- The services in which accounts are kept, as far as the work on them goes.
CREATE TABLE provisioning_targets (
	target_id     TEXT COLLATE "C" PRIMARY KEY,
	setting       TEXT NOT NULL DEFAULT '',  -- digest of rule and mapping: another one means that everybody is looked at again
	paused_at     BIGINT NOT NULL DEFAULT 0,
	paused_by     TEXT NOT NULL DEFAULT '',  -- person
	lease         TEXT NOT NULL DEFAULT '',  -- which worker has the target, of all servers
	lease_ends_at BIGINT NOT NULL DEFAULT 0,
	opened_at     BIGINT NOT NULL DEFAULT 0,  -- the breaker: since when the service is taken for away
	probe_at      BIGINT NOT NULL DEFAULT 0,  -- and when it is asked again
	probes        BIGINT NOT NULL DEFAULT 0,
	reason        TEXT NOT NULL DEFAULT '',  -- of the last failure that was not one person's
	detail        TEXT NOT NULL DEFAULT '',
	failed_at     BIGINT NOT NULL DEFAULT 0,
	answered_at   BIGINT NOT NULL DEFAULT 0,  -- the last exchange that went well
	pace          BIGINT NOT NULL DEFAULT 0,  -- microseconds that one account takes, as measured
	braked_at     BIGINT NOT NULL DEFAULT 0,  -- the brake: more closures wait than may be at once
	let_go        BIGINT NOT NULL DEFAULT 0,  -- closures that an administrator has let go
	compared_at   BIGINT NOT NULL DEFAULT 0,  -- the nightly comparison
	report        TEXT NOT NULL DEFAULT ''  -- JSON
);

-- The ledger: one line for each person and service that ever had to do with each other.
CREATE TABLE provisioning_accounts (
	target_id     TEXT COLLATE "C" NOT NULL,
	person        TEXT COLLATE "C" NOT NULL,
	login         TEXT NOT NULL DEFAULT '',
	name          TEXT NOT NULL DEFAULT '',
	folded        TEXT COLLATE "C" NOT NULL DEFAULT '',  -- name and login, to search
	state         TEXT NOT NULL,
	since_at      BIGINT NOT NULL,
	verdict       TEXT NOT NULL,  -- what the rule says of the person
	todo          TEXT NOT NULL DEFAULT '',  -- put, suspend, delete; empty when all is done
	todo_order    BIGINT NOT NULL DEFAULT 0,  -- lower is done first
	due_at        BIGINT NOT NULL DEFAULT 0,  -- when it may be tried
	attempts      BIGINT NOT NULL DEFAULT 0,
	reason        TEXT NOT NULL DEFAULT '',
	detail        TEXT NOT NULL DEFAULT '',  -- what the service said
	other         TEXT NOT NULL DEFAULT '',  -- login of the account that stands in the way
	settles_at    BIGINT NOT NULL DEFAULT 0,  -- an answer got lost: there may be an account, at the latest by then
	remote_id     TEXT NOT NULL DEFAULT '',
	sent          TEXT NOT NULL DEFAULT '',  -- digest of what the service was told
	wanted        TEXT NOT NULL DEFAULT '',  -- digest of what it should be told
	exchanged_at  BIGINT NOT NULL DEFAULT 0,
	version       BIGINT NOT NULL DEFAULT 0,  -- counts what the ledger decided, so that a worker notices
	PRIMARY KEY (target_id, person)
);
CREATE INDEX provisioning_accounts_person ON provisioning_accounts (person);
CREATE INDEX provisioning_accounts_todo ON provisioning_accounts (target_id, todo_order, due_at) WHERE todo <> '';
CREATE INDEX provisioning_accounts_state ON provisioning_accounts (target_id, state, folded);

-- What was said to services and what they answered, without the bodies.
CREATE TABLE provisioning_exchanges (
	id            TEXT COLLATE "C" PRIMARY KEY,
	target_id     TEXT COLLATE "C" NOT NULL,
	person        TEXT COLLATE "C" NOT NULL,
	act           TEXT NOT NULL,  -- find, create, change, suspend, delete
	reason        TEXT NOT NULL DEFAULT '',  -- empty when it went well
	detail        TEXT NOT NULL DEFAULT '',
	took          BIGINT NOT NULL,  -- microseconds
	done_at       BIGINT NOT NULL
);
CREATE INDEX provisioning_exchanges_account ON provisioning_exchanges (target_id, person, done_at);
CREATE INDEX provisioning_exchanges_person ON provisioning_exchanges (person);
CREATE INDEX provisioning_exchanges_done ON provisioning_exchanges (done_at);

-- People about whom something changed, or who are to be looked at again.
CREATE TABLE provisioning_noted (
	person        TEXT COLLATE "C" PRIMARY KEY,
	mark          TEXT NOT NULL,  -- another one for every change
	turn          BIGINT NOT NULL,  -- 0 something changed, 1 a look at everybody
	noted_at      BIGINT NOT NULL
);
CREATE INDEX provisioning_noted_turn ON provisioning_noted (turn, noted_at);
