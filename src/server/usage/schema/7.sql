-- Which rows are of a day: for one month among many, and for those that are so old that they go.
CREATE INDEX evidence_day ON evidence (day);

-- What is so old that it goes.
CREATE INDEX pair_since ON pair (since_ms);
CREATE INDEX connection_end_since ON connection_end (since_ms);
CREATE INDEX estimated_at ON estimated (at_ms);

-- Evidence of days before this one is not whole any more: sums of those days are not made from it.
CREATE TABLE evidence_since (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    first_day INTEGER NOT NULL
) STRICT;

INSERT INTO evidence_since VALUES (0, 0);
