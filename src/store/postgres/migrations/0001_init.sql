-- SPDX-License-Identifier: MIT
-- The tables of the SQLite engine, keyed so that they shard: every key of what a user owns begins
-- with user_id, and of what a space holds with space_id, which for a user's own space is the same.
-- Times are milliseconds since 1970; text compares by code point, whatever the locale of the cluster.

-- An account that was deleted keeps its row, without e-mail, name and password, until the rows of its
-- space are gone too: they are removed in steps, so that a large account holds nobody up.
CREATE TABLE users (
    user_id       uuid   NOT NULL PRIMARY KEY,
    disabled_at   bigint,
    deleted_at    bigint,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    password_hash text   COLLATE "C" NOT NULL,
    email         text   COLLATE "C" CHECK ((email IS NULL) = (deleted_at IS NOT NULL)),
    name          text   COLLATE "C"
);
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- Who has an address, in lower case (ASCII only): the directory that a login starts from. It stands
-- apart because its key is not the user's.
CREATE TABLE emails (
    email   text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL
);

-- One narrow row a space, which every change writes: `revision` is the number of the last change;
-- `forgotten` the highest one that the journal no longer has; then how many tasks there are of each
-- status, and the bytes of items, journal and kept answers (src/store/decision.h).
CREATE TABLE spaces (
    space_id          uuid   NOT NULL PRIMARY KEY,
    owner_id          uuid   NOT NULL,
    revision          bigint NOT NULL DEFAULT 0,
    forgotten         bigint NOT NULL DEFAULT 0,
    tasks_pending     bigint NOT NULL DEFAULT 0,
    tasks_in_progress bigint NOT NULL DEFAULT 0,
    tasks_completed   bigint NOT NULL DEFAULT 0,
    bytes             bigint NOT NULL DEFAULT 0
);

-- Its key is the order of the default list. No foreign key: the space of a deleted account goes first.
CREATE TABLE tasks (
    space_id     uuid     NOT NULL,
    id           uuid     NOT NULL,
    created_at   bigint   NOT NULL,
    updated_at   bigint   NOT NULL,
    completed_at bigint,
    revision     bigint   NOT NULL,
    status       smallint NOT NULL CHECK (status IN (0, 1, 2)),
    title        text     COLLATE "C" NOT NULL,
    description  text     COLLATE "C",
    PRIMARY KEY (space_id, created_at, id)
);
-- An id that the server made holds its created_at, and is found by the key. This index has the others:
-- those that clients chose, above all.
CREATE UNIQUE INDEX tasks_chosen ON tasks (space_id, id)
    WHERE substr(uuid_send(id), 1, 6) <> substr(int8send(created_at), 3);

-- The changes of a space in their order, 30 days; only appended to. `before` is a JSON object of the
-- members that the change replaced, of a deletion all; NULL: the item was new. `actor` is the session
-- that asked for it.
CREATE TABLE journal (
    space_id uuid     NOT NULL,
    revision bigint   NOT NULL,
    at       bigint   NOT NULL,
    id       uuid     NOT NULL,
    actor    uuid,
    kind     smallint NOT NULL,
    verb     smallint NOT NULL,
    before   text     COLLATE "C",
    PRIMARY KEY (space_id, revision)
);
CREATE INDEX journal_deletions ON journal (space_id, id) WHERE verb = 4;

-- Answers of writes, 24 hours, byte for byte as they were sent.
CREATE TABLE idempotency_keys (
    space_id    uuid     NOT NULL,
    key         text     COLLATE "C" NOT NULL,
    fingerprint bytea    NOT NULL,
    used_at     bigint   NOT NULL,
    outcome     smallint NOT NULL,
    id          uuid     NOT NULL,
    revision    bigint   NOT NULL,
    body        text     COLLATE "C",
    PRIMARY KEY (space_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

-- `counter` is that of the refresh token that is valid now; `superseded` tells when the last ones
-- before it stopped being that, in the form of decision.h.
CREATE TABLE sessions (
    user_id      uuid   NOT NULL REFERENCES users (user_id),
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
-- directory as `emails` is: who will have the account is not known yet. They are few (retention.h),
-- so no index finds the oldest.
CREATE TABLE invitations (
    hash       bytea  NOT NULL PRIMARY KEY,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    email      text   COLLATE "C"
);

CREATE TABLE known_addresses (
    user_id uuid   NOT NULL REFERENCES users (user_id),
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
