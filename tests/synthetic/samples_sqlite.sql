-- SPDX-License-Identifier: MIT
CREATE TABLE samples (
    space_id   BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    note       TEXT,
    size       INTEGER NOT NULL,
    mood       INTEGER,
    open       INTEGER NOT NULL,
    checked    INTEGER,
    owner      BLOB    NOT NULL,
    parent     BLOB,
    begins_at  INTEGER NOT NULL,
    ends_at    INTEGER,
    amount     INTEGER NOT NULL,
    weight     INTEGER,
    begins     INTEGER NOT NULL,
    ends       INTEGER,
    marks      TEXT,
    others     TEXT,
    extra      TEXT,
    PRIMARY KEY (space_id, created_at, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX samples_chosen ON samples (id, space_id)
    WHERE hex(substr(id, 1, 6)) <> printf('%012X', created_at);
