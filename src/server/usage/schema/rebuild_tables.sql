-- Where `rebuild.sql` makes the sums of a month: on this connection alone, so that whoever writes the books does not wait for it.
CREATE TEMP TABLE IF NOT EXISTS rebuilt (
    node INTEGER PRIMARY KEY,
    -- The rows to read, both included.
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    -- The same in every row: the month, its first day, and the one after its last.
    month TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    end_day INTEGER NOT NULL
) STRICT;

-- The last row of each node that was there when reading began, whatever its month. Later ones have higher numbers.
CREATE TEMP TABLE IF NOT EXISTS rebuilt_up_to (
    node INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;

CREATE TEMP TABLE IF NOT EXISTS rebuilt_hour (
    hour INTEGER NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    PRIMARY KEY (hour, provider, kind)
) STRICT, WITHOUT ROWID;

CREATE TEMP TABLE IF NOT EXISTS rebuilt_provider (
    provider TEXT PRIMARY KEY,
    counted INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    said INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TEMP TABLE IF NOT EXISTS rebuilt_session (
    session TEXT NOT NULL,
    provider TEXT NOT NULL,
    counted INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (session, provider)
) STRICT, WITHOUT ROWID;

CREATE TEMP TABLE IF NOT EXISTS rebuilt_party (
    party TEXT PRIMARY KEY,
    counted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

DELETE FROM rebuilt;
DELETE FROM rebuilt_up_to;
DELETE FROM rebuilt_hour;
DELETE FROM rebuilt_provider;
DELETE FROM rebuilt_session;
DELETE FROM rebuilt_party;
