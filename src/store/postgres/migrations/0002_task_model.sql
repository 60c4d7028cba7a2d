-- SPDX-License-Identifier: MIT
-- What the field's task has. An empty set or map is NULL; a date or an instant is one number
-- (src/model/when.h).
ALTER TABLE tasks
    ADD COLUMN position          text     COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN priority          smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 4),
    ADD COLUMN list_id           uuid,
    ADD COLUMN parent_id         uuid,
    ADD COLUMN start             bigint,
    ADD COLUMN due               bigint,
    ADD COLUMN labels            text     COLLATE "C",
    ADD COLUMN time_zone         text     COLLATE "C",
    ADD COLUMN recurrence        text     COLLATE "C",
    ADD COLUMN recurrence_anchor smallint NOT NULL DEFAULT 0 CHECK (recurrence_anchor BETWEEN 0 AND 7),
    ADD COLUMN blocked_by        text     COLLATE "C",
    ADD COLUMN metadata          text     COLLATE "C",
    ADD COLUMN series_id         uuid,
    ADD COLUMN next_id           uuid,
    -- What is searched, folded, where it is not plain (src/model/task.c). Of the tasks that are there
    -- migrate.c makes it.
    ADD COLUMN folded            text     COLLATE "C";

-- Those that are there stand in the order in which they were made: position_nth of src/model/position.h.
UPDATE tasks SET position = CASE
            WHEN n < 24 THEN substr('VWXYZ_abcdefghijklmnopqrstuvwxyz', n::integer + 1, 1)
            WHEN n < 88 THEN 's'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 24 >> 0) & 63)::integer + 1, 1)
            WHEN n < 4184 THEN 't'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 88 >> 6) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 88 >> 0) & 63)::integer + 1, 1)
            WHEN n < 266328 THEN 'u'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 12) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 6) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 4184 >> 0) & 63)::integer + 1, 1)
            WHEN n < 17043544 THEN 'v'
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 18) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 12) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 6) & 63)::integer + 1, 1)
                || substr('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', ((n - 266328 >> 0) & 63)::integer + 1, 1) END
FROM (SELECT space_id AS s, created_at AS c, id AS i,
             row_number() OVER (PARTITION BY space_id ORDER BY created_at, id) AS n FROM tasks) numbered
WHERE space_id = s AND created_at = c AND id = i;

-- The siblings of a list or of a parent in their order. Those of the inbox have no index: a plain task
-- would pay for it with a quarter of its bytes.
CREATE INDEX tasks_siblings ON tasks (space_id, parent_id, list_id, position)
    WHERE parent_id IS NOT NULL OR list_id IS NOT NULL;

-- The zone of an account, by IANA's name; NULL: UTC.
ALTER TABLE users ADD COLUMN time_zone text COLLATE "C";

-- The lists of tasks, keyed as tasks are.
CREATE TABLE lists (
    space_id   uuid     NOT NULL,
    id         uuid     NOT NULL,
    created_at bigint   NOT NULL,
    updated_at bigint   NOT NULL,
    revision   bigint   NOT NULL,
    archived   smallint NOT NULL CHECK (archived IN (0, 1)),
    position   text     COLLATE "C" NOT NULL,
    name       text     COLLATE "C" NOT NULL,
    color      text     COLLATE "C",
    metadata   text     COLLATE "C",
    PRIMARY KEY (space_id, created_at, id)
);
CREATE UNIQUE INDEX lists_chosen ON lists (space_id, id)
    WHERE substr(uuid_send(id), 1, 6) <> substr(int8send(created_at), 3);
ALTER TABLE spaces ADD COLUMN lists bigint NOT NULL DEFAULT 0;
