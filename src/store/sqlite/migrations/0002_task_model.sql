-- SPDX-License-Identifier: MIT
-- What the field's task has. An empty set or map is NULL and takes no room; a date or an instant is one
-- number (src/model/when.h).
ALTER TABLE tasks ADD COLUMN position TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 4);
ALTER TABLE tasks ADD COLUMN list_id BLOB;
ALTER TABLE tasks ADD COLUMN parent_id BLOB;
ALTER TABLE tasks ADD COLUMN start INTEGER;
ALTER TABLE tasks ADD COLUMN due INTEGER;
ALTER TABLE tasks ADD COLUMN labels TEXT;
ALTER TABLE tasks ADD COLUMN time_zone TEXT;
ALTER TABLE tasks ADD COLUMN recurrence TEXT;
ALTER TABLE tasks ADD COLUMN recurrence_anchor INTEGER NOT NULL DEFAULT 0 CHECK (recurrence_anchor BETWEEN 0 AND 7);
ALTER TABLE tasks ADD COLUMN blocked_by TEXT;
ALTER TABLE tasks ADD COLUMN metadata TEXT;
ALTER TABLE tasks ADD COLUMN series_id BLOB;
ALTER TABLE tasks ADD COLUMN next_id BLOB;

-- What is searched, folded, where it is not plain: src/model/task.c.
ALTER TABLE tasks ADD COLUMN folded TEXT;
UPDATE tasks SET folded = task_folded(title, description) WHERE task_folded(title, description) IS NOT NULL;

-- Those that are there stand in the order in which they were made: position_nth of src/model/position.h.
UPDATE tasks SET position = CASE
            WHEN n < 24 THEN substr('VWXYZ_abcdefghijklmnopqrstuvwxyz', n + 1, 1)
            WHEN n < 88 THEN 's'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 24 >> 0) & 63) + 1, 1)
            WHEN n < 4184 THEN 't'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 88 >> 6) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 88 >> 0) & 63) + 1, 1)
            WHEN n < 266328 THEN 'u'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 12) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 6) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 0) & 63) + 1, 1)
            WHEN n < 17043544 THEN 'v'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 18) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 12) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 6) & 63) + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 0) & 63) + 1, 1) END
FROM (SELECT space_id AS s, created_at AS c, id AS i,
             row_number() OVER (PARTITION BY space_id ORDER BY created_at, id) AS n FROM tasks)
WHERE space_id = s AND created_at = c AND id = i;

-- The siblings of a list or of a parent in their order. Those of the inbox have no index: a plain task
-- would pay for it with a quarter of its bytes.
CREATE INDEX tasks_siblings ON tasks (space_id, parent_id, list_id, position)
    WHERE parent_id IS NOT NULL OR list_id IS NOT NULL;

-- The zone of an account, by IANA's name; NULL: UTC.
ALTER TABLE users ADD COLUMN time_zone TEXT;

-- The lists of tasks, keyed as tasks are.
CREATE TABLE lists (
    space_id   BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived   INTEGER NOT NULL CHECK (archived BETWEEN 0 AND 1),
    position   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    color      TEXT,
    metadata   TEXT,
    PRIMARY KEY (space_id, created_at, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lists_chosen ON lists (id, space_id)
    WHERE hex(substr(id, 1, 6)) <> printf('%012X', created_at);
ALTER TABLE spaces ADD COLUMN lists INTEGER NOT NULL DEFAULT 0;
