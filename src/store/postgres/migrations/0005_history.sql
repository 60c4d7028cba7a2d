-- SPDX-License-Identifier: MIT
-- The history of one thing is a chain through the journal: `previous` is the revision of the change of it
-- before this one; NULL: there was none. `undoes`: the change that this one took back. `follows`: the
-- change of the call's own thing, along with which this one was made, and after whose row it stands.
ALTER TABLE journal
    ADD COLUMN previous bigint,
    ADD COLUMN undoes   bigint,
    ADD COLUMN follows  bigint;
UPDATE journal SET previous = p
FROM (SELECT space_id AS s, revision AS r,
             lag(revision) OVER (PARTITION BY space_id, kind, id ORDER BY revision) AS p FROM journal) chained
WHERE space_id = s AND revision = r AND verb <> 1 AND p IS NOT NULL;

-- Sessions (`kind` 1) and tokens for scripts (2) that have ended, so that their changes still tell who made
-- them: for as long as the journal is kept. `name` is that of the token, or the user agent.
CREATE TABLE actors (
    user_id  uuid     NOT NULL,
    id       uuid     NOT NULL,
    ended_at bigint   NOT NULL,
    kind     smallint NOT NULL CHECK (kind IN (1, 2)),
    name     text     COLLATE "C",
    PRIMARY KEY (user_id, id)
);
CREATE INDEX actors_by_age ON actors (ended_at);

CREATE FUNCTION session_ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO actors (user_id, id, kind, ended_at, name)
    VALUES (OLD.user_id, OLD.id, 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, OLD.user_agent)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION script_token_ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO actors (user_id, id, kind, ended_at, name)
    VALUES (OLD.user_id, OLD.id, 2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, OLD.name)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION session_ended();
CREATE TRIGGER script_tokens_ended AFTER DELETE ON script_tokens FOR EACH ROW EXECUTE FUNCTION script_token_ended();
