-- Who was given credentials lately, and for whom their bytes count, so that a process after this one knows it before anybody asks again.
-- Lists have one entry a line.
CREATE TABLE granted (
    -- What they are counted under.
    number TEXT PRIMARY KEY,
    stranger INTEGER NOT NULL,
    parties TEXT NOT NULL,
    providers TEXT NOT NULL,
    -- What relays call them.
    names TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX granted_at ON granted (at_ms);
