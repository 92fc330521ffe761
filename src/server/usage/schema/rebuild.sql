-- The sums of one month from its evidence, and from nothing else, but for those of addresses and apps, of which the evidence knows
-- nothing. `rebuilt` has the month and its days, and for each node the rows between which it is; days beyond 1970 have a month.
DELETE FROM hour_total WHERE hour >= (SELECT first_day * 24 FROM rebuilt) AND hour < (SELECT end_day * 24 FROM rebuilt);
DELETE FROM provider_total WHERE month = (SELECT month FROM rebuilt);
DELETE FROM session_total WHERE month = (SELECT month FROM rebuilt);

DELETE FROM party_total
    WHERE month = (SELECT month FROM rebuilt) AND (party LIKE 'session:%' OR party LIKE 'participant:%');

-- In the order of the rows: the index of days would look each of them up by itself.
INSERT INTO hour_total
    SELECT day * 24 + at_ms / 3600000 % 24, coalesce(provider, ''), kind, sum(bytes), sum(counted)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day GROUP BY 1, 2, 3;

INSERT INTO provider_total
    SELECT month, coalesce(provider, ''),
        sum(iif(kind = 'estimate', 0, counted)), sum(iif(kind = 'estimate', counted, 0)),
        sum(iif(kind = 'provider', bytes, 0))
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day GROUP BY 1, 2;

INSERT INTO session_total
    SELECT month, session, coalesce(provider, ''), sum(counted), min(at_ms), max(at_ms)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day
        AND session IS NOT NULL AND counted > 0
    GROUP BY 1, 2, 3;

INSERT INTO party_total
    SELECT month, 'session:' || session, sum(counted) FROM session_total
    WHERE month = (SELECT month FROM rebuilt) GROUP BY 1, 2;

INSERT INTO party_total
    SELECT month, 'participant:' || participant, sum(counted)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day
        AND participant IS NOT NULL AND counted > 0
    GROUP BY 1, 2;
