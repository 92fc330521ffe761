-- What other machines that count the same months told of theirs, figure by figure, the largest of each; kept so that a machine that
-- is started while the others are away knows what they used.
CREATE TABLE other_node (
    month TEXT NOT NULL,
    -- As its own ledger calls it.
    node TEXT NOT NULL,
    figure TEXT NOT NULL,
    value INTEGER NOT NULL CHECK (value >= 0),
    PRIMARY KEY (month, node, figure)
) STRICT, WITHOUT ROWID;
