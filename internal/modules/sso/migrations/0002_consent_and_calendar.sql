-- What each service was told about each person, by the names of the attributes,
-- and what the person agreed to. One row per person and service.
CREATE TABLE sso_disclosures (
	person       TEXT COLLATE "C" NOT NULL,
	service_id   TEXT COLLATE "C" NOT NULL,
	-- The service's names when it was told last: its entry may be gone since.
	name_fr      TEXT NOT NULL DEFAULT '',
	name_en      TEXT NOT NULL DEFAULT '',
	-- Names of attributes with a space between, in alphabetical order.
	told         TEXT NOT NULL DEFAULT '',
	first_told_at BIGINT NOT NULL DEFAULT 0, -- zero: never
	last_told_at BIGINT NOT NULL DEFAULT 0, -- to the day or so
	agreed       TEXT NOT NULL DEFAULT '',
	agreed_at    BIGINT NOT NULL DEFAULT 0, -- zero: never, or revoked
	PRIMARY KEY (person, service_id)
);
CREATE INDEX sso_disclosures_last ON sso_disclosures (last_told_at);

-- The alarms about certificates and secrets that end, each sent once. When what
-- ends is renewed, its end moves and its alarms begin anew.
CREATE TABLE sso_alarms (
	item    TEXT COLLATE "C" NOT NULL,
	ends_at BIGINT NOT NULL,
	days    BIGINT NOT NULL, -- how long before the end: 60, 30, 7, and 0 for ended
	sent_at BIGINT NOT NULL,
	PRIMARY KEY (item, ends_at, days)
);
CREATE INDEX sso_alarms_sent ON sso_alarms (sent_at);
