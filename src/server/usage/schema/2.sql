-- What was counted of a pair, which is less than its counters say where they are not to be believed.
ALTER TABLE pair ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;

-- When the pair was first recorded: how old its connection is at least, whoever was restarted since.
ALTER TABLE pair ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;

-- Until now everything was counted: what the relay sends to its client, and for other kinds than Cloudflare both ways.
UPDATE pair SET counted = bytes_received + 4 * packets_received
    + iif(provider = 'cloudflare' OR provider LIKE 'cloudflare:%', 0, bytes_sent + 4 * packets_sent);

UPDATE pair SET since_ms = coalesce(
    (SELECT min(at_ms) FROM usage_event
     WHERE usage_event.participant = pair.participant AND usage_event.connection = pair.connection),
    (SELECT max(at_ms) FROM usage_event), 0);
