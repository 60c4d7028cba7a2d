-- SPDX-License-Identifier: MIT
-- `sqlite3 taskhold.db .dump` of a database that version 0.1.0 made: one account, a session, three tasks.
PRAGMA application_id = 0x5461736b;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    revision      INTEGER NOT NULL DEFAULT 0,
    disabled_at   INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    password_hash TEXT    NOT NULL,
    email         TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    name          TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO users VALUES(X'01a227486c2c7f47919f1614dc603770',3,NULL,1795955387436,1795955387436,'$argon2id$v=19$m=19456,t=2,p=1$wUJFlbyRBPkosnCSVePApQ$fqZnlj8jDfM8tLewv5XyAft/dcfzVcpOnmEpHb9omtY','ada@example.com',NULL);
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
INSERT INTO tasks VALUES(X'01a227486c2c7f47919f1614dc603770',1795955388234,X'01a227486f4a7f1c9fcc839b8ad1e2b4',1,1795955388234,NULL,0,'one',NULL);
INSERT INTO tasks VALUES(X'01a227486c2c7f47919f1614dc603770',1795955388264,X'01a227486f6872f4ae73cd0ab84f74a6',2,1795955388264,NULL,0,'two',NULL);
INSERT INTO tasks VALUES(X'01a227486c2c7f47919f1614dc603770',1795955388392,X'01a227486fe871129fb54d11730af25b',3,1795955388392,NULL,0,'three',NULL);
CREATE TABLE tombstones (
    sequence   INTEGER PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id         BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    UNIQUE (user_id, id)
) STRICT;
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
INSERT INTO sessions VALUES(X'01a227486ced71cc8d074cc59af4316d',X'01a227486c2c7f47919f1614dc603770',1,1795955387629,1795955387629,1798547387629,X'','127.0.0.1','curl/7.88.1');
CREATE TABLE known_addresses (
    user_id BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ip      TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, ip)
) STRICT, WITHOUT ROWID;
INSERT INTO known_addresses VALUES(X'01a227486c2c7f47919f1614dc603770','127.0.0.1',1795955387629);
CREATE UNIQUE INDEX tasks_by_id ON tasks (user_id, id);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
COMMIT;
