-- Connections that are not booked yet, so that they are after a restart: until the session that they belong to closes them.
CREATE TABLE connection (
    connection TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    guest TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    -- The last sign of life; an estimate runs to it. Kept up while nobody has reported.
    alive_ms INTEGER NOT NULL,
    -- Somebody has reported, so nothing is estimated.
    reported INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
