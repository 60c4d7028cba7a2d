-- SPDX-License-Identifier: MIT
-- The tables of the SQLite engine, keyed so that they shard: every key of what a user owns begins
-- with user_id. Times are milliseconds since 1970; text compares by code point, whatever the locale
-- of the cluster. `revision` counts the changes of the user's tasks; the columns after it hold how
-- many tasks there are of each status, and the bytes of tasks, tombstones and kept answers
-- (src/store/usage.h).
CREATE TABLE users (
    user_id           uuid     NOT NULL PRIMARY KEY,
    revision          bigint   NOT NULL DEFAULT 0,
    tasks_pending     bigint   NOT NULL DEFAULT 0,
    tasks_in_progress bigint   NOT NULL DEFAULT 0,
    tasks_completed   bigint   NOT NULL DEFAULT 0,
    bytes             bigint   NOT NULL DEFAULT 0,
    disabled_at       bigint,
    created_at        bigint   NOT NULL,
    updated_at        bigint   NOT NULL,
    password_hash     text     COLLATE "C" NOT NULL,
    email             text     COLLATE "C" NOT NULL,
    name              text     COLLATE "C"
);

-- Who has an address, in lower case (ASCII only): the directory that a login starts from. It stands
-- apart because its key is not the user's.
CREATE TABLE emails (
    email   text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL
);

CREATE TABLE tasks (
    user_id      uuid     NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    id           uuid     NOT NULL,
    created_at   bigint   NOT NULL,
    updated_at   bigint   NOT NULL,
    completed_at bigint,
    revision     bigint   NOT NULL,
    status       smallint NOT NULL CHECK (status IN (0, 1, 2)),
    title        text     COLLATE "C" NOT NULL,
    description  text     COLLATE "C",
    PRIMARY KEY (user_id, id)
);
CREATE INDEX tasks_in_order ON tasks (user_id, created_at, id);

-- Deleted tasks, 30 days.
CREATE TABLE tombstones (
    user_id    uuid   NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    id         uuid   NOT NULL,
    revision   bigint NOT NULL,
    deleted_at bigint NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX tombstones_by_age ON tombstones (deleted_at);

-- Answers of writes, 24 hours; what the answer said of the task is kept with it.
CREATE TABLE idempotency_keys (
    user_id      uuid     NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    key          text     COLLATE "C" NOT NULL,
    fingerprint  bytea    NOT NULL,
    used_at      bigint   NOT NULL,
    outcome      smallint NOT NULL,
    task_id      uuid     NOT NULL,
    revision     bigint   NOT NULL,
    created_at   bigint   NOT NULL,
    updated_at   bigint   NOT NULL,
    completed_at bigint,
    status       smallint NOT NULL,
    title        text     COLLATE "C",
    description  text     COLLATE "C",
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

-- `counter` is that of the refresh token that is valid now; `superseded` tells when the last ones
-- before it stopped being that, in the form of session_decision.h.
CREATE TABLE sessions (
    user_id      uuid   NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    id           uuid   NOT NULL,
    counter      bigint NOT NULL,
    created_at   bigint NOT NULL,
    last_used_at bigint NOT NULL,
    expires_at   bigint NOT NULL,
    superseded   bytea  NOT NULL,
    ip           text   COLLATE "C" NOT NULL,
    user_agent   text   COLLATE "C",
    PRIMARY KEY (user_id, id)
);
-- A refresh token names the session and not the user.
CREATE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- To one registration each; used ones are gone. `hash` is SHA-256 of the token that was given out. A
-- directory as `emails` is: who will have the account is not known yet. They are few (keeping.h), so
-- no index finds the oldest.
CREATE TABLE invitations (
    hash       bytea  NOT NULL PRIMARY KEY,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    email      text   COLLATE "C"
);

CREATE TABLE known_addresses (
    user_id uuid   NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    ip      text   COLLATE "C" NOT NULL,
    seen_at bigint NOT NULL,
    PRIMARY KEY (user_id, ip)
);

-- One row. `epoch` is a random number that is part of every entity tag and cursor. It is made with the
-- database, and made anew when the database is filled from another one: revisions are then given
-- out a second time, and no tag may be.
CREATE TABLE meta (
    one   integer NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch uuid    NOT NULL
);
INSERT INTO meta (one, epoch) VALUES (1, gen_random_uuid());
