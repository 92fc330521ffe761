-- What browsers measured over each provider: the sums of usage_event by provider.
CREATE TABLE provider_total (
    month TEXT NOT NULL,
    provider TEXT NOT NULL,
    measured INTEGER NOT NULL,
    PRIMARY KEY (month, provider)
) STRICT, WITHOUT ROWID;

INSERT INTO provider_total
    SELECT month, provider, sum(bytes) FROM usage_event WHERE provider IS NOT NULL GROUP BY month, provider;
