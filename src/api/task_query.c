// SPDX-License-Identifier: MIT
#include "api/task_query.h"

#define TASK_QUERY_KEY_HEAD 5

const char *const task_query_names[] = {"limit", "cursor", "status[]", "sort", "include", NULL};

static const struct slice sort_names[STORE_SORT_COUNT] = {
    [STORE_SORT_CREATED_AT] = {"created_at", 10},
    [STORE_SORT_UPDATED_AT] = {"updated_at", 10},
    [STORE_SORT_TITLE] = {"title", 5},
    [STORE_SORT_STATUS] = {"status", 6},
};

static void complain(struct http_problem_errors *errors, const char *parameter, const char *code,
                     const char *detail)
{
    http_problem_errors_add(errors, (struct http_problem_error){.parameter = slice_of(parameter),
                                                                .code = code,
                                                                .detail = detail});
}

static void read_limit(struct slice value, struct store_task_list *list,
                       struct http_problem_errors *errors)
{
    uint64_t limit = TASK_QUERY_LIMIT;
    if (value.ptr && !slice_to_u64(value, UINT64_MAX, &limit)) {
        complain(errors, "limit", "invalid", "Must be a number from 1 to 100.");
    } else if (limit < 1 || limit > TASK_QUERY_LIMIT_MOST) {
        complain(errors, "limit", "out_of_range", "Must be from 1 to 100.");
    } else {
        list->limit = (unsigned)limit;
    }
}

static void read_statuses(struct slice value, struct store_task_list *list,
                          struct http_problem_errors *errors)
{
    struct slice rest = value;
    while (rest.ptr) {
        enum task_status status;
        if (!task_status_parse(slice_next(&rest, ','), &status)) {
            complain(
                errors, "status", "not_allowed",
                "Must be one or more of: pending, in-progress, completed; separated by commas.");
            return;
        }
        if (list->statuses & 1U << status) {
            complain(errors, "status", "repeated", "Must name a status only once.");
            return;
        }
        list->statuses |= 1U << status;
    }
}

static void read_sort(struct slice value, struct store_task_list *list,
                      struct http_problem_errors *errors)
{
    struct slice name = value.ptr ? value : SLICE("-created_at");
    list->descending = slice_starts(name, SLICE("-"));
    if (list->descending) {
        name = slice_from(name, 1);
    }
    for (unsigned i = 0; i < STORE_SORT_COUNT; i++) {
        if (slice_eq(sort_names[i], name)) {
            list->sort = (enum store_sort)i;
            return;
        }
    }
    complain(errors, "sort", "not_allowed",
             "Must be one of: created_at, updated_at, title, status; with - in front to turn the "
             "order round.");
}

static void read_include(struct slice value, bool *with_total, struct http_problem_errors *errors)
{
    *with_total = value.ptr != NULL;
    if (value.ptr && !slice_eq(value, SLICE("total"))) {
        complain(errors, "include", "not_allowed", "Must be: total.");
    }
}

/* Last of all: a cursor is compared with the order and the filter. */
static void read_cursor(const struct keys *keys, struct uuid space, struct slice value,
                        struct arena *arena, struct store_task_list *list,
                        struct http_problem_errors *errors)
{
    if (!value.ptr) {
        return;
    }
    struct cursor cursor;
    if (!cursor_parse(keys, space, value, arena, &cursor)) {
        complain(errors, "cursor", "invalid",
                 "Must be a next_cursor of this account. Begin again without one.");
        return;
    }
    if (cursor.sort != list->sort || cursor.descending != list->descending ||
        cursor.statuses != list->statuses) {
        complain(errors, "cursor", "invalid",
                 "Belongs to another filter or order: send the status and sort that it was made "
                 "with.");
        return;
    }
    list->after = true;
    list->position = cursor.position;
}

bool task_query_read(const struct keys *keys, struct uuid space, const struct http_query *query,
                     struct arena *arena, struct store_task_list *list, bool *with_total,
                     struct http_problem_errors *errors)
{
    read_limit(http_query_get(query, "limit"), list, errors);
    read_statuses(http_query_get(query, "status"), list, errors);
    read_sort(http_query_get(query, "sort"), list, errors);
    read_include(http_query_get(query, "include"), with_total, errors);
    if (errors->count == 0) {
        read_cursor(keys, space, http_query_get(query, "cursor"), arena, list, errors);
    }
    return errors->count == 0;
}

struct slice task_query_key(const struct http_query *query, const struct store_task_list *list,
                            struct arena *arena)
{
    const struct slice cursor = http_query_get(query, "cursor");
    char *key = arena_alloc(arena, TASK_QUERY_KEY_HEAD + cursor.len);
    if (!key) {
        return (struct slice){0};
    }
    key[0] = (char)list->limit;
    key[1] = (char)list->sort;
    key[2] = (char)list->descending;
    key[3] = (char)list->statuses;
    key[4] = (char)(http_query_get(query, "include").ptr != NULL);
    if (cursor.len > 0) {
        memcpy(key + TASK_QUERY_KEY_HEAD, cursor.ptr, cursor.len);
    }
    return (struct slice){key, TASK_QUERY_KEY_HEAD + cursor.len};
}

/* Every value was checked, so none needs escaping. */
void task_query_add_next(const struct http_query *query, struct slice cursor, struct buffer *out)
{
    for (size_t i = 0; task_query_names[i]; i++) {
        struct slice value = http_query_get(query, task_query_names[i]);
        if (!value.ptr || strcmp(task_query_names[i], "cursor") == 0) {
            continue;
        }
        buffer_add(out, http_query_name(task_query_names[i]));
        buffer_add_char(out, '=');
        buffer_add(out, value);
        buffer_add_char(out, '&');
    }
    buffer_add_text(out, "cursor=");
    buffer_add(out, cursor);
}
