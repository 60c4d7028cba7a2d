-- SPDX-License-Identifier: MIT
-- The tasks that were deleted and may come back. What one was stands in `before` of the journal's row of that
-- `revision`, which goes together with this one. `root` is the revision that the call's own thing took: those
-- of one call have the same.
CREATE TABLE trash (
    space_id  BLOB    NOT NULL,
    revision  INTEGER NOT NULL,
    root      INTEGER NOT NULL,
    id        BLOB    NOT NULL CHECK (length(id) = 16),
    parent_id BLOB,
    PRIMARY KEY (space_id, revision)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX trash_ids ON trash (space_id, id);
CREATE INDEX trash_below ON trash (space_id, parent_id) WHERE parent_id IS NOT NULL;

-- What is in the trash up to the revision `emptied` is not there any more for anyone, and is removed in steps.
ALTER TABLE spaces ADD COLUMN emptied INTEGER NOT NULL DEFAULT 0;
CREATE INDEX spaces_emptied ON spaces (space_id) WHERE emptied > 0;
