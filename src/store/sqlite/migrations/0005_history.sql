-- SPDX-License-Identifier: MIT
-- The history of one thing is a chain through the journal: `previous` is the revision of the change of it
-- before this one; NULL: there was none. `undoes`: the change that this one took back. `follows`: the
-- change of the call's own thing, along with which this one was made, and after whose row it stands.
ALTER TABLE journal ADD COLUMN previous INTEGER;
ALTER TABLE journal ADD COLUMN undoes INTEGER;
ALTER TABLE journal ADD COLUMN follows INTEGER;
UPDATE journal SET previous = p
FROM (SELECT space_id AS s, revision AS r,
             lag(revision) OVER (PARTITION BY space_id, kind, id ORDER BY revision) AS p FROM journal)
WHERE space_id = s AND revision = r AND verb <> 1 AND p IS NOT NULL;

-- Sessions (`kind` 1) and tokens for scripts (2) that have ended, so that their changes still tell who made
-- them: for as long as the journal is kept. `name` is that of the token, or the user agent.
CREATE TABLE actors (
    user_id  BLOB    NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    kind     INTEGER NOT NULL CHECK (kind IN (1, 2)),
    ended_at INTEGER NOT NULL,
    name     TEXT,
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX actors_by_age ON actors (ended_at);

CREATE TRIGGER sessions_ended AFTER DELETE ON sessions BEGIN
    INSERT INTO actors (user_id, id, kind, ended_at, name)
    VALUES (OLD.user_id, OLD.id, 1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), OLD.user_agent)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER script_tokens_ended AFTER DELETE ON script_tokens BEGIN
    INSERT INTO actors (user_id, id, kind, ended_at, name)
    VALUES (OLD.user_id, OLD.id, 2, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), OLD.name)
    ON CONFLICT DO NOTHING;
END;
