// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/respond.h"
#include "http/query.h"

/* DELETE /v1/lists/{id}, which says what becomes of the tasks that are in it. */

/* False: 400 was sent. */
static bool read_tasks(struct http_exchange *x, enum store_list_tasks *tasks)
{
    static const char *const names[] = {"tasks", NULL};
    struct http_query query;
    struct http_problem_errors errors = {0};
    const bool read = http_query_parse(&x->request, names, x->arena, &query, &errors);
    const struct slice value = read ? http_query_get(&query, SLICE("tasks")) : (struct slice){0};
    *tasks = STORE_TASKS_KEEP_LIST;
    if (slice_eq(value, SLICE("delete"))) {
        *tasks = STORE_TASKS_DELETE;
    } else if (slice_eq(value, SLICE("inbox"))) {
        *tasks = STORE_TASKS_TO_INBOX;
    } else if (value.ptr) {
        http_problem_errors_add(&errors,
                                (struct http_problem_error){.parameter = SLICE("tasks"),
                                                            .code = "not_allowed",
                                                            .detail = "Must be delete or inbox."});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return false;
    }
    if (!read) {
        respond_no_memory(x);
    }
    return read;
}

bool lists_delete_values(struct http_exchange *x)
{
    enum store_list_tasks tasks;
    return items_delete_values(x) && read_tasks(x, &tasks);
}

void lists_delete(struct http_exchange *x)
{
    enum store_list_tasks tasks;
    if (!read_tasks(x, &tasks)) {
        return;
    }
    struct store_item_write *write = items_write_begin(x, STORE_DELETE);
    if (!write) {
        return;
    }
    uint8_t content[JSON_READER_DIGEST] = {(uint8_t)tasks};
    write->tasks = tasks;
    idempotency_bind(write, tasks == STORE_TASKS_KEEP_LIST ? NULL : content);
    api_engine(x)->item_write(write);
}
