-- What was recorded, in the order of recording. Rows are only ever added.
CREATE TABLE usage_event (
    id INTEGER PRIMARY KEY,
    -- UTC month in which it was recorded: 2026-11.
    month TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('measured', 'estimated')),
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    connection TEXT NOT NULL,
    -- The session, named by the random identifier of its host; unknown for a connection opened before a restart.
    session TEXT,
    -- Measured rows only: who reported which candidate pair, and whose credentials it ran on.
    participant TEXT,
    pair TEXT,
    provider TEXT,
    -- Estimated rows only: which opening of the connection was estimated.
    opened_ms INTEGER
) STRICT;

-- One opening of a connection is estimated once.
CREATE UNIQUE INDEX usage_event_estimate ON usage_event (connection, session, opened_ms) WHERE kind = 'estimated';

-- The largest counters of every candidate pair, and the newest report that brought any. A participant belongs to one
-- session, so nobody can reach the rows of anyone else.
CREATE TABLE pair (
    participant TEXT NOT NULL,
    connection TEXT NOT NULL,
    pair TEXT NOT NULL,
    provider TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    bytes_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    PRIMARY KEY (participant, connection, pair)
) STRICT, WITHOUT ROWID;

-- The sums of usage_event, so that opening the ledger does not read a month of rows.
CREATE TABLE month_total (
    month TEXT PRIMARY KEY,
    measured INTEGER NOT NULL,
    estimated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
