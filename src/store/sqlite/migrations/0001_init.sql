-- SPDX-License-Identifier: MIT
-- Ids are the 16 bytes of a UUID; times are milliseconds since 1970; text compares by code point.
PRAGMA application_id = 0x5461736b;

-- One row. `epoch` is a random number that is part of every entity tag and cursor. It is made with the
-- database, and made anew when the database is brought back from a copy or filled from another one:
-- revisions are then given out a second time, and no tag may be.
CREATE TABLE meta (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch BLOB    NOT NULL CHECK (length(epoch) = 16)
) STRICT, WITHOUT ROWID;
INSERT INTO meta (one, epoch) VALUES (1, randomblob(16));

-- `revision` counts the changes of the user's tasks; the columns after it hold how many tasks there
-- are of each status, and the bytes of tasks, tombstones and kept answers (src/store/usage.h).
CREATE TABLE users (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    revision          INTEGER NOT NULL DEFAULT 0,
    tasks_pending     INTEGER NOT NULL DEFAULT 0,
    tasks_in_progress INTEGER NOT NULL DEFAULT 0,
    tasks_completed   INTEGER NOT NULL DEFAULT 0,
    bytes             INTEGER NOT NULL DEFAULT 0,
    disabled_at       INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    password_hash     TEXT    NOT NULL,
    email             TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    name              TEXT
) STRICT, WITHOUT ROWID;

-- Clustered in the order of the default list, so that a page is one range of the tree.
CREATE TABLE tasks (
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    revision     INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    completed_at INTEGER,
    status       INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    title        TEXT    NOT NULL,
    description  TEXT,
    PRIMARY KEY (user_id, created_at, id)
) STRICT, WITHOUT ROWID;
-- Ids of version 7 go to the end of it, whoever makes them: one page a batch, and not one for each user.
CREATE UNIQUE INDEX tasks_by_id ON tasks (id, user_id);

-- Deleted tasks, 30 days; `sequence` is the order of deletion.
CREATE TABLE tombstones (
    sequence   INTEGER PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id         BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    UNIQUE (user_id, id)
) STRICT;
CREATE INDEX tombstones_by_age ON tombstones (deleted_at);

-- Answers of writes, 24 hours; what the answer said of the task is kept with it.
CREATE TABLE idempotency_keys (
    sequence     INTEGER PRIMARY KEY,
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key          TEXT    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    used_at      INTEGER NOT NULL,
    outcome      INTEGER NOT NULL,
    task_id      BLOB    NOT NULL,
    revision     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    completed_at INTEGER,
    status       INTEGER NOT NULL,
    title        TEXT,
    description  TEXT,
    UNIQUE (user_id, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

-- `counter` is that of the refresh token that is valid now; `superseded` tells when the last ones
-- before it stopped being that, in the form of session_decision.h.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    counter      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    superseded   BLOB    NOT NULL,
    ip           TEXT    NOT NULL,
    user_agent   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- To one registration each; used ones are gone. `hash` is SHA-256 of the token that was given out.
-- They are few (keeping.h), so no index finds the oldest.
CREATE TABLE invitations (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    email      TEXT    COLLATE NOCASE
) STRICT, WITHOUT ROWID;

CREATE TABLE known_addresses (
    user_id BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ip      TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, ip)
) STRICT, WITHOUT ROWID;
