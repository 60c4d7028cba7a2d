// SPDX-License-Identifier: MIT
#include "store/sqlite/revision.h"

#include "store/sqlite/sql.h"

struct usage revision_take_usage(struct query *q)
{
    struct usage usage = {0};
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        usage.tasks[i] = query_take_i64(q);
    usage.bytes = query_take_i64(q);
    return usage;
}

static int read_row(struct transaction *t, const struct uuid *user)
{
    struct query q = query_begin(&t->statements, SQL_USER_REVISION);
    query_bind_uuid(&q, user);
    t->revision.known = query_row(&q);
    if (t->revision.known) {
        t->revision.user = *user;
        t->revision.number = query_take_i64(&q);
        t->revision.usage = revision_take_usage(&q);
    }
    return query_end(&q);
}

int revision_read(struct transaction *t, const struct uuid *user, int64_t *number,
                  struct usage *usage, bool *found)
{
    int rc = SQLITE_OK;
    if (!t->revision.known || !uuid_eq(t->revision.user, *user)) {
        rc = revision_settle(t);
        if (rc == SQLITE_OK)
            rc = read_row(t, user);
    }
    *found = rc == SQLITE_OK && t->revision.known;
    *number = *found ? t->revision.number : 0;
    *usage = *found ? t->revision.usage : (struct usage){0};
    return rc;
}

void revision_set(struct transaction *t, int64_t number, const struct usage *change)
{
    t->revision.number = number;
    usage_add(&t->revision.usage, change);
    t->revision.changed = true;
}

static int write_row(struct transaction *t)
{
    struct query q = query_begin(&t->statements, SQL_USER_SET_REVISION);
    query_bind_uuid(&q, &t->revision.user);
    query_bind_i64(&q, t->revision.number);
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        query_bind_i64(&q, t->revision.usage.tasks[i]);
    query_bind_i64(&q, t->revision.usage.bytes);
    int rc = query_run(&q);
    return rc == SQLITE_OK && sqlite3_changes(t->statements.db) != 1 ? SQLITE_ABORT : rc;
}

int revision_settle(struct transaction *t)
{
    int rc = t->revision.changed ? write_row(t) : SQLITE_OK;
    revision_forget(t);
    return rc;
}

void revision_forget(struct transaction *t)
{
    t->revision.known = false;
    t->revision.changed = false;
}
