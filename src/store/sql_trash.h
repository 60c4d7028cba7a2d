// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQL_TRASH_H
#define TASKHOLD_STORE_SQL_TRASH_H

/* The texts of statements about the trash, for the table of sql.c. */

/* What stands in the trash of a space and was not emptied. */
#define NOT_EMPTIED "revision > (SELECT emptied FROM spaces WHERE space_id = ?1)"

/* `d`: the task ?2 in the trash and what went along with it, or the next ?2 of what was emptied;
 * `c`: the changes of them all. */
#define WENT_ALONG                                                                                 \
    "WITH RECURSIVE d (id, revision, root, level) AS (SELECT id, revision, root, 1 FROM trash "    \
    "WHERE space_id = ?1 AND id = ?2 AND " NOT_EMPTIED " UNION ALL SELECT t.id, t.revision, "      \
    "t.root, d.level + 1 FROM trash t{by:trash_below}, d WHERE t.space_id = ?1 AND t.parent_id = " \
    "d.id AND t.root = d.root AND d.level < 100)"
#define EMPTIED                                                                                    \
    "WITH RECURSIVE d (id, revision) AS (SELECT id, revision FROM (SELECT id, revision FROM "      \
    "trash WHERE space_id = ?1 AND revision <= (SELECT emptied FROM spaces WHERE space_id = ?1) "  \
    "ORDER BY revision LIMIT ?2) l)"
#define THEIR_CHANGES                                                                              \
    ", c (revision) AS (SELECT revision FROM d UNION SELECT j.previous FROM journal j, c "         \
    "WHERE j.space_id = ?1 AND j.revision = c.revision AND j.previous IS NOT NULL) "
/* Kept answers: that of a write of one of them, and those of batches in which one stands. */
#define THEIR_ANSWERS                                                                              \
    "space_id = ?1 AND (id IN (SELECT id FROM d) OR (id = {nil} AND (SELECT max(CASE WHEN "        \
    "{holds:d.id} THEN 1 END) FROM d) = 1))"
#define PURGED_BYTES                                                                               \
    "(SELECT coalesce(sum({octets:before}), 0) FROM journal WHERE space_id = ?1 AND revision IN "  \
    "(SELECT revision FROM c)) + (SELECT coalesce(sum({octets:body}), 0) FROM idempotency_keys "   \
    "WHERE " THEIR_ANSWERS ")"
#define PURGE_CHANGES                                                                              \
    "UPDATE journal SET before = NULL WHERE space_id = ?1 AND revision IN (SELECT revision FROM "  \
    "c) AND before IS NOT NULL"
#define PURGE_ANSWERS                                                                              \
    " UPDATE idempotency_keys SET body = NULL WHERE " THEIR_ANSWERS " AND body IS NOT NULL"
#define PURGE_TRASH                                                                                \
    " DELETE FROM trash WHERE space_id = ?1 AND revision IN (SELECT revision FROM d)"

#define TRASH_LIST                                                                                 \
    "SELECT p.revision, p.at, p.before FROM spaces s JOIN (SELECT l.*, sum({octets:before}) OVER " \
    "(ORDER BY revision DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS so_far FROM "    \
    "(SELECT j.revision, j.at, j.before FROM journal j, (SELECT revision FROM trash WHERE "        \
    "space_id = ?1 AND revision < ?2 AND " NOT_EMPTIED " ORDER BY revision DESC LIMIT ?3) t "      \
    "WHERE j.space_id = ?1 AND j.revision = t.revision) l) p ON coalesce(p.so_far, 0) <= 262144 "  \
    "WHERE s.space_id = ?1 ORDER BY p.revision DESC"

#define TRASH_ASK                                                                                  \
    WENT_ALONG " SELECT d.id, coalesce({octets:j.before}, 0), d.revision, d.level, " NO_UUID       \
               ", " NO_UUID ", {json:blocked_by} FROM journal j, d WHERE j.space_id = ?1 AND "     \
               "j.revision = d.revision ORDER BY d.level, d.revision"

#define TRASH_ASK_LABELLED                                                                         \
    "SELECT t.id, t.octets, t.revision, 0, " NO_UUID ", " NO_UUID ", " NO_TEXT " FROM (SELECT "    \
    "j.id, {octets:j.before} AS octets, j.revision, {json:labels} AS labels FROM journal j, "      \
    "(SELECT revision FROM trash WHERE space_id = ?1 AND " NOT_EMPTIED ") d WHERE j.space_id = "   \
    "?1 AND j.revision = d.revision) t JOIN {elements:t.labels} ON e.value = ?2 ORDER BY "         \
    "t.revision LIMIT 10001"

#define TRASH_ASK_JSON                                                                             \
    "SELECT j.id, j.at, j.revision, 0, " NO_UUID ", " NO_UUID ", j.before FROM journal j WHERE "   \
    "j.space_id = ?1 AND j.revision = (SELECT revision FROM trash WHERE space_id = ?1 AND id = "   \
    "?2 AND " NOT_EMPTIED ")"

#endif
