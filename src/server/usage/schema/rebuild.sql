-- Adds the evidence that `rebuilt` names to the sums of one month, and nothing else. In the order of the rows: the index of days
-- would look each of them up by itself. Days beyond 1970 have a month.
INSERT INTO rebuilt_hour
    SELECT day * 24 + at_ms / 3600000 % 24, coalesce(provider, ''), kind, sum(bytes), sum(counted)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET bytes = min(bytes + excluded.bytes, 9223372036854775807),
        counted = min(counted + excluded.counted, 9223372036854775807);

INSERT INTO rebuilt_provider
    SELECT coalesce(provider, ''),
        sum(iif(kind = 'estimate', 0, counted)), sum(iif(kind = 'estimate', counted, 0)),
        sum(iif(kind = 'provider', bytes, 0))
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day GROUP BY 1
    ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807),
        estimated = min(estimated + excluded.estimated, 9223372036854775807), said = said + excluded.said;

INSERT INTO rebuilt_session
    SELECT session, coalesce(provider, ''), sum(counted), min(at_ms), max(at_ms)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day
        AND session IS NOT NULL AND counted > 0
    GROUP BY 1, 2
    ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807),
        first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms);

INSERT INTO rebuilt_party
    SELECT 'participant:' || participant, sum(counted)
    FROM rebuilt CROSS JOIN evidence USING (node)
    WHERE seq >= first_seq AND seq <= last_seq AND +day >= first_day AND +day < end_day
        AND participant IS NOT NULL AND counted > 0
    GROUP BY 1
    ON CONFLICT DO UPDATE SET counted = min(counted + excluded.counted, 9223372036854775807);
