// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQL_REPORTS_H
#define TASKHOLD_STORE_SQL_REPORTS_H

#include "model/task.h"

/* The forms (sql.h) of what all tasks of a space come to. */

static_assert(TASK_PENDING == 0 && TASK_IN_PROGRESS == 1 && TASK_COMPLETED == 2,
              "the statuses of the texts are those of tasks");

#define REPORT_IS_OPEN "t.status <> 2"

/* What is due before a limit, as days_is_before() says; the limit is packed. Null is not before
 * anything. */
#define REPORT_IS_OVERDUE  "t.due < CASE WHEN (t.due & 1) = 0 THEN ?2 ELSE ?3 END"
#define REPORT_IS_EARLIER  "t.due < CASE WHEN (t.due & 1) = 0 THEN ?4 ELSE ?5 END"
#define REPORT_IS_BY_TODAY "t.due < CASE WHEN (t.due & 1) = 0 THEN ?6 ELSE ?7 END"

#define REPORT_LABELS                                                                              \
    "SELECT s.revision, l.name, l.tasks, l.open FROM spaces s LEFT JOIN (SELECT e.value AS name, " \
    "count(*) AS tasks, count(CASE WHEN " REPORT_IS_OPEN " THEN 1 END) AS open "                   \
    "FROM tasks t, {elements:t.labels} WHERE t.space_id = ?1 AND e.value > ?2 "                    \
    "GROUP BY e.value ORDER BY e.value LIMIT ?3) l ON 1 = 1 "                                      \
    "WHERE s.space_id = ?1 ORDER BY l.name"

/* Of writes (decision.h). */
#define REPORT_LABELLED                                                                            \
    "SELECT t.id, t.created_at, t.revision, 0, t.parent_id, t.list_id, CAST(NULL AS text) "        \
    "FROM tasks t, {elements:t.labels} WHERE t.space_id = ?1 AND e.value = ?2 "                    \
    "ORDER BY t.created_at, t.id LIMIT 10001"
#define REPORT_LABEL_COUNT                                                                         \
    "SELECT CAST(NULL AS {uuid}), 0, count(DISTINCT CASE WHEN " REPORT_IS_OPEN " THEN t.id END), " \
    "count(DISTINCT t.id), CAST(NULL AS {uuid}), CAST(NULL AS {uuid}), CAST(NULL AS text) "        \
    "FROM tasks t, {elements:t.labels} WHERE t.space_id = ?1 AND e.value IN (?2, ?3)"

/* Those that are blocked are counted over all lists, so the number is the same in every row. */
#define REPORT_BLOCKED                                                                             \
    "(SELECT count(DISTINCT t.id) FROM tasks t, {elements:t.blocked_by} "                          \
    "WHERE t.space_id = ?1 AND " REPORT_IS_OPEN " AND t.blocked_by IS NOT NULL "                   \
    "AND {text_key:e.value} IN (SELECT {uuid_key:id} FROM tasks t "                                \
    "WHERE space_id = ?1 AND " REPORT_IS_OPEN "))"

#define REPORT_OF_LISTS                                                                            \
    "(SELECT coalesce(list_id, {nil}) AS list_id, "                                                \
    "count(CASE WHEN status = 0 THEN 1 END) AS pending, "                                          \
    "count(CASE WHEN status = 1 THEN 1 END) AS in_progress, "                                      \
    "count(CASE WHEN status = 2 THEN 1 END) AS completed, "                                        \
    "count(CASE WHEN " REPORT_IS_OPEN " AND " REPORT_IS_OVERDUE " THEN 1 END) AS overdue, "        \
    "count(CASE WHEN " REPORT_IS_OPEN " AND NOT (" REPORT_IS_EARLIER ") AND " REPORT_IS_BY_TODAY   \
    " THEN 1 END) AS today "                                                                       \
    "FROM tasks t WHERE space_id = ?1 GROUP BY 1)"

#define REPORT_SUMMARY                                                                             \
    "SELECT l.id, coalesce(g.pending, 0), coalesce(g.in_progress, 0), coalesce(g.completed, 0), "  \
    "coalesce(g.overdue, 0), coalesce(g.today, 0), " REPORT_BLOCKED " "                            \
    "FROM (SELECT {nil} AS id, '' AS position UNION ALL "                                          \
    "SELECT id, position FROM lists WHERE space_id = ?1) l "                                       \
    "LEFT JOIN " REPORT_OF_LISTS " g ON g.list_id = l.id ORDER BY l.position, l.id"

#endif
