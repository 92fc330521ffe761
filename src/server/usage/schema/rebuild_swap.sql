-- Puts the sums of a month in the place of those that are there. Others wait meanwhile, so only what differs is written. The evidence
-- knows nothing of addresses and apps, so their sums stay.
INSERT INTO rebuilt_party SELECT 'session:' || session, sum(counted) FROM rebuilt_session GROUP BY 1;

DELETE FROM hour_total
    WHERE hour >= (SELECT first_day * 24 FROM rebuilt) AND hour < (SELECT end_day * 24 FROM rebuilt)
        AND (hour, provider, kind) NOT IN (SELECT hour, provider, kind FROM rebuilt_hour);

DELETE FROM provider_total
    WHERE month = (SELECT month FROM rebuilt) AND provider NOT IN (SELECT provider FROM rebuilt_provider);

DELETE FROM session_total
    WHERE month = (SELECT month FROM rebuilt) AND (session, provider) NOT IN (SELECT session, provider FROM rebuilt_session);

DELETE FROM party_total
    WHERE month = (SELECT month FROM rebuilt) AND (party LIKE 'session:%' OR party LIKE 'participant:%')
        AND party NOT IN (SELECT party FROM rebuilt_party);

INSERT INTO hour_total SELECT hour, provider, kind, bytes, counted FROM rebuilt_hour WHERE true
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes, counted = excluded.counted
    WHERE (bytes, counted) <> (excluded.bytes, excluded.counted);

INSERT INTO provider_total
    SELECT (SELECT month FROM rebuilt), provider, counted, estimated, said FROM rebuilt_provider WHERE true
    ON CONFLICT DO UPDATE SET counted = excluded.counted, estimated = excluded.estimated, said = excluded.said
    WHERE (counted, estimated, said) <> (excluded.counted, excluded.estimated, excluded.said);

INSERT INTO session_total
    SELECT (SELECT month FROM rebuilt), session, provider, counted, first_ms, last_ms FROM rebuilt_session WHERE true
    ON CONFLICT DO UPDATE SET counted = excluded.counted, first_ms = excluded.first_ms, last_ms = excluded.last_ms
    WHERE (counted, first_ms, last_ms) <> (excluded.counted, excluded.first_ms, excluded.last_ms);

INSERT INTO party_total SELECT (SELECT month FROM rebuilt), party, counted FROM rebuilt_party WHERE true
    ON CONFLICT DO UPDATE SET counted = excluded.counted WHERE counted <> excluded.counted;
