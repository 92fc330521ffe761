-- Packets that came from a relay before there was a channel are wrapped in more.
ALTER TABLE pair ADD COLUMN packets_indicated INTEGER NOT NULL DEFAULT 0;
