-- Tokens that everybody may read: the origins that they may be used from, and how many requests a second. Both are null
-- for a token that is secret, as every token before this was, so nothing is folded again.
ALTER TABLE tokens ADD COLUMN allowed_origins text[];
ALTER TABLE tokens ADD COLUMN rate integer;
