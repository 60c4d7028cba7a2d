-- SPDX-License-Identifier: MIT
-- Ids are the 16 bytes of a UUID; times are milliseconds since 1970; text compares by code point.
-- Every key of what a space holds begins with space_id; a user's own space has the user's id.
PRAGMA application_id = 0x5461736b;

-- One row. `epoch` is a random number that is part of every entity tag and cursor. It is made with the
-- database, and made anew when the database is brought back from a copy or filled from another one:
-- revisions are then given out a second time, and no tag may be.
CREATE TABLE meta (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch BLOB    NOT NULL CHECK (length(epoch) = 16)
) STRICT, WITHOUT ROWID;
INSERT INTO meta (one, epoch) VALUES (1, randomblob(16));

-- An account that was deleted keeps its row, without e-mail, name and password, until the rows of its
-- space are gone too: they are removed in steps, so that a large account holds nobody up.
CREATE TABLE users (
    user_id       BLOB    NOT NULL PRIMARY KEY CHECK (length(user_id) = 16),
    disabled_at   INTEGER,
    deleted_at    INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    password_hash TEXT    NOT NULL,
    email         TEXT    COLLATE NOCASE UNIQUE CHECK ((email IS NULL) = (deleted_at IS NOT NULL)),
    name          TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- One narrow row a space, which every change writes: `revision` is the number of the last change;
-- `forgotten` the highest one that the journal no longer has; then how many tasks there are of each
-- status, and the bytes of items, journal and kept answers (src/store/decision.h). No foreign key: to
-- delete an account would read all spaces.
CREATE TABLE spaces (
    space_id          BLOB    NOT NULL PRIMARY KEY CHECK (length(space_id) = 16),
    owner_id          BLOB    NOT NULL CHECK (length(owner_id) = 16),
    revision          INTEGER NOT NULL DEFAULT 0,
    forgotten         INTEGER NOT NULL DEFAULT 0,
    tasks_pending     INTEGER NOT NULL DEFAULT 0,
    tasks_in_progress INTEGER NOT NULL DEFAULT 0,
    tasks_completed   INTEGER NOT NULL DEFAULT 0,
    bytes             INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Clustered in the order of the default list, so that a page is one range of the tree. No foreign
-- key: the space of a deleted account goes first. IN with three values or more would build a tree for
-- each row that is written, which cost a third of the writer's time.
CREATE TABLE tasks (
    space_id     BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    revision     INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    completed_at INTEGER,
    status       INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),
    title        TEXT    NOT NULL,
    description  TEXT,
    PRIMARY KEY (space_id, created_at, id)
) STRICT, WITHOUT ROWID;
-- An id that the server made holds its created_at, and is found by the key. This index has the others:
-- those that clients chose, above all. The id stands first: new ones of all spaces then share the
-- last page of the tree, which a commit of many users writes once.
CREATE UNIQUE INDEX tasks_chosen ON tasks (id, space_id)
    WHERE hex(substr(id, 1, 6)) <> printf('%012X', created_at);

-- The changes of a space in their order, 30 days; only appended to. `before` is a JSON object of the
-- members that the change replaced, of a deletion all; NULL: the item was new. `actor` is the session
-- that asked for it.
CREATE TABLE journal (
    space_id BLOB    NOT NULL,
    revision INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    verb     INTEGER NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    actor    BLOB,
    before   TEXT,
    PRIMARY KEY (space_id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_deletions ON journal (space_id, id) WHERE verb = 4;

-- Answers of writes, 24 hours, byte for byte as they were sent.
CREATE TABLE idempotency_keys (
    sequence    INTEGER PRIMARY KEY,
    space_id    BLOB    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    used_at     INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,
    id          BLOB    NOT NULL,
    revision    INTEGER NOT NULL,
    body        TEXT,
    UNIQUE (space_id, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

-- `counter` is that of the refresh token that is valid now; `superseded` tells when the last ones
-- before it stopped being that, in the form of decision.h.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (user_id),
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
-- They are few (retention.h), so no index finds the oldest.
CREATE TABLE invitations (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    email      TEXT    COLLATE NOCASE
) STRICT, WITHOUT ROWID;

CREATE TABLE known_addresses (
    user_id BLOB    NOT NULL REFERENCES users (user_id),
    ip      TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, ip)
) STRICT, WITHOUT ROWID;
