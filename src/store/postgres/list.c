// SPDX-License-Identifier: MIT
#include "store/postgres/list.h"

#include <assert.h>

#include "store/postgres/job.h"
#include "store/usage.h"

static_assert(SQL_TASK_LIST + LIST_INDEX_COUNT == SQL_COUNT, "sql.h has a row for each text");

#define COLUMNS "id, title, description, status, created_at, updated_at, completed_at, revision"
#define T_COLUMNS                                                                                  \
    "t.id, t.title, t.description, t.status, t.created_at, t.updated_at, t.completed_at, "         \
    "t.revision"
#define TEXT_BYTES            "(octet_length(title) + coalesce(octet_length(description), 0))"
#define FILTER(statuses)      " AND ((" statuses " >> status) & 1) <> 0"
#define AFTER(key, than)      " AND (" key ", id) " than " ($3, $4)"
#define ORDER(of, key, order) " ORDER BY " of key " " order ", " of "id " order

/* Rows end after texts of STORE_PAGE_BYTES, because libpq holds all that it is sent. One
 * statement, so that the revision, the counts and the rows are of one snapshot. A user without
 * tasks has a row in which those of `t` are null. */
#define TEXT(key, order, filter, after)                                                            \
    "SELECT u.revision, u.tasks_pending, u.tasks_in_progress, u.tasks_completed, " T_COLUMNS " "   \
    "FROM users u LEFT JOIN (SELECT " COLUMNS ", sum(" TEXT_BYTES ") OVER (" ORDER(                \
        "", key, order) " ROWS UNBOUNDED PRECEDING) - " TEXT_BYTES                                 \
                        " AS before FROM (SELECT " COLUMNS                                         \
                        " FROM tasks WHERE user_id = $1" filter after                              \
                            ORDER("", key, order) " LIMIT $2) l) t ON t.before <= " USAGE_NUMBER(  \
                                STORE_PAGE_BYTES) " WHERE u.user_id = $1" ORDER("t.", key, order)

/* Four texts of one direction: without a filter or with one; from the beginning, then from a
 * position, whose key is of type `type`. */
#define TEXTS(key, type, order, than)                                                              \
    {TEXT(key, order, "", ""), "ui"}, {TEXT(key, order, FILTER("$3"), ""), "uii"},                 \
        {TEXT(key, order, "", AFTER(key, than)), "ui" type "u"},                                   \
    {                                                                                              \
        TEXT(key, order, FILTER("$5"), AFTER(key, than)), "ui" type "ui"                           \
    }

#define TEXTS_OF(key, type) TEXTS(key, type, "ASC", ">"), TEXTS(key, type, "DESC", "<")

/* In the order of list_index_of. Only the first sort has an index; the others keep the first rows
 * of a scan of the user's tasks. */
const struct sql_text pg_list_texts[LIST_INDEX_COUNT] = {
    TEXTS_OF("created_at", "i"),
    TEXTS_OF("updated_at", "i"),
    TEXTS_OF("title", "t"),
    TEXTS_OF("status", "i"),
};

#define ROW_AT 4 /* columns before those of a task */

static void take_tasks(struct job *job, const PGresult *result)
{
    struct store_task_list *op = (struct store_task_list *)job->op;
    const int count = PQgetisnull(result, 0, ROW_AT) ? 0 : PQntuples(result);
    size_t bytes = 0;
    bool full = false;
    for (int i = 0; i < count; i++) {
        if (full) {
            op->more = true;
            return;
        }
        struct row r = row_of(result, i, NULL);
        r.column = ROW_AT;
        const struct task task = row_task(&r);
        bytes += task.title.len + task.description.len;
        full = !op->each(op, &task) || i + 1 == (int)op->limit || bytes > STORE_PAGE_BYTES;
    }
}

static void take_list(struct job *job, const PGresult *result)
{
    struct store_task_list *op = (struct store_task_list *)job->op;
    const bool found = PQntuples(result) > 0;
    struct row r = row_of(result, 0, NULL);
    struct usage usage = {0};
    if (found) {
        op->revision = row_i64(&r);
        for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
            usage.tasks[i] = row_i64(&r);
    }
    op->total = usage_total(&usage, op->statuses);
    if ((!op->begin || op->begin(op)) && found)
        take_tasks(job, result);
}

static void bind_position(struct params *p, const struct store_task_list *op)
{
    if (op->sort == STORE_SORT_TITLE)
        params_text(p, op->position.text);
    else
        params_i64(p, op->position.number);
    params_uuid(p, &op->position.id);
}

static bool step(struct job *job, unsigned round)
{
    struct store_task_list *op = (struct store_task_list *)job->op;
    struct params p = {0};
    (void)round;
    op->more = false;
    op->revision = 0;
    params_uuid(&p, &op->user);
    params_i64(&p, (int64_t)op->limit + 1);
    if (op->after)
        bind_position(&p, op);
    if (list_index_filters(op))
        params_i64(&p, op->statuses);
    job_send(job, (enum sql)(SQL_TASK_LIST + list_index_of(op)), &p, take_list);
    return false;
}

void pg_task_list(struct store_task_list *op)
{
    static const struct work page = {.lane = LANE_READ, .size = sizeof(struct job), .step = step};
    static const struct work scan = {.lane = LANE_SCAN, .size = sizeof(struct job), .step = step};
    const bool indexed = op->sort == STORE_SORT_CREATED_AT && !list_index_filters(op);
    job_start(&op->op, indexed ? &page : &scan, &op->user);
}
