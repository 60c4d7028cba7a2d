// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_USAGE_H
#define TASKHOLD_STORE_USAGE_H

#include "model/task.h"

/* What a user's tasks take of the database. It is counted in the row of the user that holds the
 * revision, in the transaction of each write: so a bound is tested without counting, and the total
 * of a list is read. */

/* Bytes of a row but for its texts, what its indexes keep included. */
#define USAGE_TASK_BYTES      160
#define USAGE_TOMBSTONE_BYTES 96
#define USAGE_KEY_BYTES       192

/* Also what a change adds: then it may be negative. */
struct usage {
    int64_t tasks[TASK_STATUS_COUNT];
    int64_t bytes; /* of tasks, tombstones and kept answers */
};

/* What one user may hold; INT64_MAX: no bound. */
struct usage_limits {
    int64_t tasks;
    int64_t bytes;
};

/* Of numbers of which 0 says that there is no bound. */
static inline struct usage_limits usage_limits_of(int64_t tasks, int64_t bytes)
{
    return (struct usage_limits){tasks > 0 ? tasks : INT64_MAX, bytes > 0 ? bytes : INT64_MAX};
}

static inline int64_t usage_task_bytes(const struct task *task)
{
    return USAGE_TASK_BYTES + (int64_t)task->title.len + (int64_t)task->description.len;
}

/* An answer that is kept under `key` and says `task`. */
static inline int64_t usage_key_bytes(struct slice key, const struct task *task)
{
    return USAGE_KEY_BYTES + (int64_t)key.len + (int64_t)task->title.len +
           (int64_t)task->description.len;
}

/* `statuses`: bits (1 << enum task_status); 0: all. */
static inline int64_t usage_total(const struct usage *usage, unsigned statuses)
{
    int64_t total = 0;
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        total += statuses == 0 || (statuses >> i & 1) != 0 ? usage->tasks[i] : 0;
    return total;
}

static inline void usage_add(struct usage *usage, const struct usage *change)
{
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        usage->tasks[i] += change->tasks[i];
    usage->bytes += change->bytes;
}

/* The same for statements. `octets(text)`: the engine's function for the bytes of a text. */
#define USAGE_QUOTED(number)  #number
#define USAGE_NUMBER(number)  USAGE_QUOTED(number)
#define USAGE_COLUMNS         "tasks_pending, tasks_in_progress, tasks_completed, bytes"
#define USAGE_TEXT(octets, x) " + coalesce(" octets(x) ", 0)"
#define USAGE_SQL_TASK(octets)                                                                     \
    USAGE_NUMBER(USAGE_TASK_BYTES) USAGE_TEXT(octets, "title") USAGE_TEXT(octets, "description")
#define USAGE_SQL_TOMBSTONE USAGE_NUMBER(USAGE_TOMBSTONE_BYTES)
#define USAGE_SQL_KEY(octets)                                                                      \
    USAGE_NUMBER(USAGE_KEY_BYTES)                                                                  \
    USAGE_TEXT(octets, "key") USAGE_TEXT(octets, "title") USAGE_TEXT(octets, "description")

#define USAGE_OF(what, table, id)        "(SELECT " what " FROM " table " WHERE user_id = users." id ")"
#define USAGE_TASKS(status, id)          USAGE_OF("count(*)", "tasks", id " AND status = " status)
#define USAGE_BYTES_OF(bytes, table, id) USAGE_OF("coalesce(sum(" bytes "), 0)", table, id)

/* The values of USAGE_COLUMNS by counting; `id`: the column of `users` with the user's id. */
#define USAGE_COUNTED(id, octets)                                                                  \
    USAGE_TASKS("0", id)                                                                           \
    ", " USAGE_TASKS("1", id) ", " USAGE_TASKS("2", id) ", " USAGE_BYTES_OF(                       \
        USAGE_SQL_TASK(octets), "tasks",                                                           \
        id) " + " USAGE_BYTES_OF(USAGE_SQL_TOMBSTONE, "tombstones",                                \
                                 id) " + " USAGE_BYTES_OF(USAGE_SQL_KEY(octets),                   \
                                                          "idempotency_keys", id)

/* Counts anew what an import has filled. A task that lives has no tombstone; a file may say
 * otherwise. */
#define USAGE_RECOUNT(id, octets)                                                                  \
    "DELETE FROM tombstones WHERE EXISTS (SELECT 1 FROM tasks WHERE tasks.user_id = "              \
    "tombstones.user_id AND tasks.id = tombstones.id); "                                           \
    "UPDATE users SET (" USAGE_COLUMNS ") = (SELECT " USAGE_COUNTED(id, octets) ")"

/* How many users have other numbers than counting gives. */
#define USAGE_DRIFT(id, octets)                                                                    \
    "SELECT count(*) FROM users WHERE (" USAGE_COLUMNS ") <> (SELECT " USAGE_COUNTED(id, octets) ")"

#endif
