-- Whose rows these are: 0 is this ledger's own node. A ledger that others were put into by hand has more.
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    -- Random, so that two machines never have the same.
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO node VALUES (0, lower(hex(randomblob(8))));

-- What was said of relayed bytes, in the order in which it was recorded. Rows are only ever added, each known by the node that
-- wrote it and its number there: a second row of the same name is refused, and whatever was written together with it.
CREATE TABLE evidence (
    node INTEGER NOT NULL REFERENCES node (id),
    seq INTEGER NOT NULL,
    -- When it was recorded.
    at_ms INTEGER NOT NULL,
    -- The day (since 1970-01-01, UTC) that it is booked under: what a provider says late is booked under its own month.
    day INTEGER NOT NULL,
    -- Who says so: the browser whose relay it was, the browser at the other end, the relay itself, the provider; or nobody.
    kind TEXT NOT NULL CHECK (kind IN ('browser', 'other_end', 'relay', 'provider', 'estimate')),
    -- How much more is said than before. A provider may correct itself downwards.
    bytes INTEGER NOT NULL CHECK (bytes > 0 OR kind = 'provider'),
    -- What of it counts. Never more than once for the same bytes, whoever says so.
    counted INTEGER NOT NULL CHECK (counted >= 0),
    provider TEXT,
    -- The session, named by the random identifier of its host; unknown for a connection opened before a restart.
    session TEXT,
    -- Whose relay it was.
    participant TEXT,
    connection TEXT,
    PRIMARY KEY (node, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO evidence
    SELECT 0, id, at_ms, CAST(strftime('%s', month || '-01') AS INTEGER) / 86400
            + iif(strftime('%Y-%m', at_ms / 1000, 'unixepoch') = month, CAST(strftime('%d', at_ms / 1000, 'unixepoch') AS INTEGER) - 1, 0),
        iif(kind = 'measured', 'browser', 'estimate'), bytes, bytes, provider, session, participant, connection
    FROM usage_event;

-- Which openings of connections were estimated: each is once.
CREATE TABLE estimated (
    connection TEXT NOT NULL,
    session TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, session, opened_ms)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO estimated
    SELECT connection, session, opened_ms, at_ms FROM usage_event WHERE kind = 'estimated' AND session IS NOT NULL;

-- One end of a connection: what its own browser and the browser at the other end say of its relay, and the larger of both.
CREATE TABLE connection_end (
    participant TEXT NOT NULL,
    connection TEXT NOT NULL,
    provider TEXT NOT NULL,
    own INTEGER NOT NULL,
    other_end INTEGER NOT NULL,
    larger INTEGER NOT NULL,
    -- The newest report of the other end, and its largest counters.
    sequence INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    bytes_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (participant, connection)
) STRICT, WITHOUT ROWID;

INSERT INTO connection_end
    SELECT participant, connection, max(provider), sum(counted), 0, sum(counted), 0, 0, 0, 0, 0, min(since_ms)
    FROM pair GROUP BY participant, connection;

-- From here on sums of `evidence`, so that nobody has to read a month of rows. An unknown provider is ''.
CREATE TABLE hour_total (
    -- Since 1970-01-01T00Z.
    hour INTEGER NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    PRIMARY KEY (hour, provider, kind)
) STRICT, WITHOUT ROWID;

DROP TABLE provider_total;

-- What counts for a month is, for each provider, what was counted and estimated, and never less than the provider says itself.
CREATE TABLE provider_total (
    month TEXT NOT NULL,
    provider TEXT NOT NULL,
    counted INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    said INTEGER NOT NULL,
    PRIMARY KEY (month, provider)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_total (
    month TEXT NOT NULL,
    session TEXT NOT NULL,
    provider TEXT NOT NULL,
    counted INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (month, session, provider)
) STRICT, WITHOUT ROWID;

-- What counts of one session, participant, client address (a keyed hash of it) or app in a month: what their limits look at.
CREATE TABLE party_total (
    month TEXT NOT NULL,
    party TEXT NOT NULL,
    counted INTEGER NOT NULL,
    PRIMARY KEY (month, party)
) STRICT, WITHOUT ROWID;

-- What is promised to those who relay and not used yet, as it was last written down.
CREATE TABLE promise (
    provider TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO hour_total
    SELECT day * 24 + at_ms / 3600000 % 24, coalesce(provider, ''), kind, sum(bytes), sum(counted) FROM evidence GROUP BY 1, 2, 3;

INSERT INTO provider_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), coalesce(provider, ''),
        sum(iif(kind = 'estimate', 0, counted)), sum(iif(kind = 'estimate', counted, 0)), 0
    FROM evidence GROUP BY 1, 2;

INSERT INTO session_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), session, coalesce(provider, ''), sum(counted), min(at_ms), max(at_ms)
    FROM evidence WHERE session IS NOT NULL GROUP BY 1, 2, 3;

INSERT INTO party_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), 'session:' || session, sum(counted)
    FROM evidence WHERE session IS NOT NULL GROUP BY 1, 2
    UNION ALL SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), 'participant:' || participant, sum(counted)
    FROM evidence WHERE participant IS NOT NULL GROUP BY 1, 2;

DROP TABLE month_total;
DROP TABLE usage_event;
