// SPDX-License-Identifier: MIT
#include "store/sqlite/list.h"

#include "store/sqlite/reader.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/revision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

#define FROM                                                                                       \
    "SELECT id, title, description, status, created_at, updated_at, completed_at, revision "       \
    "FROM tasks WHERE user_id = ?1"
#define FILTER            " AND ((?2 >> status) & 1)"
#define AFTER(key, than)  " AND (" key ", id) " than " (?3, ?4)"
#define ORDER(key, order) " ORDER BY " key " " order ", id " order " LIMIT ?5"

/* In the order of list_index_of. */
#define TEXTS_OF(key)                                                                              \
    FROM ORDER(key, "ASC"), FROM FILTER ORDER(key, "ASC"), FROM AFTER(key, ">") ORDER(key, "ASC"), \
        FROM FILTER AFTER(key, ">") ORDER(key, "ASC"), FROM ORDER(key, "DESC"),                    \
        FROM FILTER ORDER(key, "DESC"), FROM AFTER(key, "<") ORDER(key, "DESC"),                   \
        FROM FILTER AFTER(key, "<") ORDER(key, "DESC")

/* Only the first sort has an index; the others keep the first rows of a scan of the user's tasks.
 */
const char *const list_texts[LIST_INDEX_COUNT] = {
    TEXTS_OF("created_at"),
    TEXTS_OF("updated_at"),
    TEXTS_OF("title"),
    TEXTS_OF("status"),
};

/* On the loop that asks, of users who hold no more than this: so little is read and sorted at once,
 * in a tenth of a millisecond. */
#define LOOP_TASKS 300
#define LOOP_BYTES STORE_PAGE_BYTES

/* Must all tasks of the user be looked at, and are they many? */
static bool is_slow(const struct store_task_list *op, const struct usage *usage)
{
    return (op->sort != STORE_SORT_CREATED_AT || list_index_filters(op)) &&
           (usage_total(usage, 0) > LOOP_TASKS || usage->bytes > LOOP_BYTES);
}

/* The user's revision; a user who is gone has none and no tasks. */
static int read_revision(struct store_task_list *op, struct usage *usage)
{
    struct query q = query_begin(&op->op.session->statements, SQL_USER_REVISION);
    query_bind_uuid(&q, &op->user);
    op->revision = 0;
    *usage = (struct usage){0};
    if (query_row(&q)) {
        op->revision = query_take_i64(&q);
        *usage = revision_take_usage(&q);
    }
    op->total = usage_total(usage, op->statuses);
    return query_end(&q);
}

static void bind_position(struct query *q, const struct store_task_list *op)
{
    if (op->sort == STORE_SORT_TITLE)
        query_bind_text(q, op->position.text);
    else
        query_bind_i64(q, op->position.number);
    query_bind_uuid(q, &op->position.id);
}

static int read_rows(struct store_task_list *op)
{
    struct query q = query_begin(&op->op.session->lists, list_index_of(op));
    query_bind_uuid(&q, &op->user);
    /* A parameter that a text does not name has no place in it, unless a later one has. */
    if (list_index_filters(op))
        query_bind_i64(&q, op->statuses);
    else
        q.bound++;
    if (op->after)
        bind_position(&q, op);
    else
        q.bound += 2;
    query_bind_i64(&q, (int64_t)op->limit + 1);
    unsigned count = 0;
    bool full = false;
    while (query_row(&q)) {
        if (full) {
            op->more = true;
            break;
        }
        struct task row = reader_take_task(&q, NULL);
        if (q.rc == SQLITE_OK)
            full = !op->each(op, &row) || ++count == op->limit;
    }
    return query_end(&q);
}

int list_read_page(struct store_task_list *op)
{
    struct usage usage;
    op->more = false;
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = read_revision(op, &usage);
    return rc == SQLITE_OK ? read_rows(op) : rc;
}

void list_run(struct store_task_list *op)
{
    struct usage usage;
    op->more = false;
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = read_revision(op, &usage);
    if (rc == SQLITE_OK && (!op->begin || op->begin(op)) && op->total > 0) {
        if (is_slow(op, &usage)) {
            readers_list(op->op.session->readers, op);
            return;
        }
        rc = read_rows(op);
    }
    session_read_done(op->op.session, &op->op, rc, true);
}
