// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQL_HISTORY_H
#define TASKHOLD_STORE_SQL_HISTORY_H

/* Texts of sql.c, in its words, that read what was done to one thing. */

/* One change of a task, as a row of an ask. */
#define HISTORY_CHANGE                                                                             \
    "SELECT id, 0, revision, verb, " NO_UUID ", " NO_UUID                                          \
    ", before FROM journal WHERE space_id = ?1 AND revision = ?2 AND id = ?3"

/* Those that were made along with one: they stand in one run after it. */
#define HISTORY_FOLLOWED                                                                           \
    "SELECT j.id, coalesce((SELECT t.revision FROM tasks t WHERE t.space_id = ?1 AND " FOUND_BY(   \
        "t.",                                                                                      \
        "j.id") "), (SELECT revision FROM trash WHERE space_id = ?1 AND id = j.id AND revision > " \
                "coalesce((SELECT emptied FROM spaces WHERE space_id = ?1), 0)), 0), j.revision, " \
                "j.verb, " NO_UUID ", " NO_UUID ", j.before FROM journal j WHERE j.space_id = ?1 " \
                "AND j.revision > ?2 AND j.follows = "                                             \
                "?2 AND j.revision < coalesce((SELECT revision FROM journal WHERE space_id = ?1 "  \
                "AND "                                                                             \
                "revision > ?2 AND coalesce(follows, 0) <> ?2 ORDER BY revision LIMIT 1), "        \
                "9223372036854775807) ORDER BY j.revision LIMIT 10001"

/* The chain of the changes of a thing, from one back. */
#define HISTORY_CHAIN                                                                              \
    "WITH RECURSIVE c (revision, at, verb, actor, before, previous, undoes, place, bytes) "        \
    "AS (SELECT revision, at, verb, actor, before, previous, undoes, 1, "                          \
    "coalesce({octets:before}, 0) FROM journal WHERE space_id = ?1 AND revision = ?2 UNION "       \
    "ALL SELECT j.revision, j.at, j.verb, j.actor, j.before, j.previous, j.undoes, c.place "       \
    "+ 1, c.bytes + coalesce({octets:j.before}, 0) FROM journal j, c WHERE j.space_id = ?1 "       \
    "AND j.revision = c.previous AND c.place < ?3 AND c.bytes < ?4) SELECT revision, at, "         \
    "verb, actor, before, previous, undoes, CASE WHEN EXISTS (SELECT 1 FROM script_tokens "        \
    "WHERE user_id = ?1 AND id = c.actor) THEN 1 ELSE coalesce((SELECT kind - 1 FROM "             \
    "actors WHERE user_id = ?1 AND id = c.actor), 0) END, coalesce((SELECT user_agent FROM "       \
    "sessions WHERE user_id = ?1 AND id = c.actor), (SELECT name FROM script_tokens WHERE "        \
    "user_id = ?1 AND id = c.actor), (SELECT name FROM actors WHERE user_id = ?1 AND id = "        \
    "c.actor)) FROM c ORDER BY place"

/* The deletion of a task that is in the trash; 0: it is among the tasks. */
#define HISTORY_TRASHED                                                                            \
    "SELECT revision FROM trash WHERE space_id = ?1 AND id = ?2 AND revision > "                   \
    "coalesce((SELECT emptied FROM spaces WHERE space_id = ?1), 0) UNION ALL "                     \
    "SELECT 0 FROM tasks WHERE space_id = ?1 AND " FOUND_BY("", "?2")

#endif
