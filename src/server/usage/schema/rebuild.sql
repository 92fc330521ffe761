-- Every sum from the evidence, and from nothing else. Months whose evidence is gone keep theirs, and so do addresses and apps,
-- of which the evidence knows nothing.
DELETE FROM hour_total WHERE hour >= (SELECT min(day) * 24 FROM evidence);
DELETE FROM provider_total WHERE month >= (SELECT strftime('%Y-%m', min(day) * 86400, 'unixepoch') FROM evidence);
DELETE FROM session_total WHERE month >= (SELECT strftime('%Y-%m', min(day) * 86400, 'unixepoch') FROM evidence);

DELETE FROM party_total
    WHERE month >= (SELECT strftime('%Y-%m', min(day) * 86400, 'unixepoch') FROM evidence)
        AND (party LIKE 'session:%' OR party LIKE 'participant:%');

INSERT INTO hour_total
    SELECT day * 24 + at_ms / 3600000 % 24, coalesce(provider, ''), kind, sum(bytes), sum(counted) FROM evidence GROUP BY 1, 2, 3;

INSERT INTO provider_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), coalesce(provider, ''),
        sum(iif(kind = 'estimate', 0, counted)), sum(iif(kind = 'estimate', counted, 0)),
        sum(iif(kind = 'provider', bytes, 0))
    FROM evidence GROUP BY 1, 2;

INSERT INTO session_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), session, coalesce(provider, ''), sum(counted), min(at_ms), max(at_ms)
    FROM evidence WHERE session IS NOT NULL GROUP BY 1, 2, 3;

INSERT INTO party_total
    SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), 'session:' || session, sum(counted)
    FROM evidence WHERE session IS NOT NULL GROUP BY 1, 2
    UNION ALL SELECT strftime('%Y-%m', day * 86400, 'unixepoch'), 'participant:' || participant, sum(counted)
    FROM evidence WHERE participant IS NOT NULL GROUP BY 1, 2;
