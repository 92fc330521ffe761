-- Since when a participant is known, whatever number of connections they had.
CREATE INDEX connection_end_participant ON connection_end (participant, since_ms);
