// SPDX-License-Identifier: MIT
#include <assert.h>

#include "api/context.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/item_query.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/owner.h"
#include "http/query.h"
#include "store/retention.h"

/* /v1/trash: the tasks that were deleted, and how they come back or go for good. */

#define TRASH_MAGIC 0x64c1ba97u
#define CURSOR_MOST 128 /* bytes */
#define LINK_MOST   1024

struct trash {
    struct store_trash_list op;
    unsigned magic;
    struct http_conditions conditions;
};

static const struct uuid no_thing; /* whose history a cursor of the trash would be */

/* ---- the page ---- */

static void write_trashed(struct json_writer *w, const struct store_trashed *trashed,
                          int64_t keep_ms)
{
    jw_open_object(w);
    jw_name(w, SLICE("task"));
    resource_encode(&task_resource, trashed->task, RESOURCE_ALL, w);
    jw_name(w, SLICE("deleted_at"));
    jw_time(w, trashed->deleted_at);
    jw_name(w, SLICE("expires_at"));
    jw_time(w, trashed->deleted_at + keep_ms);
    jw_close_object(w);
}

static struct uuid cursors_of(const struct http_exchange *x)
{
    return cursor_space(api_of(x)->epoch, api_caller(x)->user);
}

/* The cursor of the page after this one, in the request's arena; ptr NULL without memory. */
static struct slice next_cursor(struct http_exchange *x, const struct store_trash_list *op)
{
    struct buffer text;
    assert(op->more && op->count > 0);
    buffer_init(&text, CURSOR_MOST);
    cursor_make_history(api_keys(x), cursors_of(x), no_thing, op->items[op->count - 1].revision,
                        &text);
    const struct slice cursor =
        text.failed ? (struct slice){0} : arena_copy(x->arena, buffer_slice(&text));
    buffer_finish(&text);
    return cursor;
}

/* False without memory. */
static bool add_link(struct http_exchange *x, const struct store_trash_list *op,
                     struct slice cursor)
{
    struct buffer link;
    buffer_init(&link, LINK_MOST);
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(x));
    buffer_add_format(&link, "/v1/trash?limit=%u&cursor=", op->limit);
    buffer_add(&link, cursor);
    buffer_add_text(&link, ">; rel=\"next\"");
    const bool made = !link.failed;
    if (made) {
        http_respond_field(x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
    return made;
}

static void write_page(struct http_exchange *x, const struct store_trash_list *op,
                       struct slice cursor)
{
    const int64_t keep_ms = retention_keep_ms(api_of(x)->options.settings->keep_seconds);
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    jw_name(&w, SLICE("items"));
    jw_open_array(&w);
    for (unsigned i = 0; i < op->count; i++) {
        write_trashed(&w, &op->items[i], keep_ms);
    }
    jw_close_array(&w);
    respond_member(&w, SLICE("next_cursor"), cursor);
    jw_close_object(&w);
}

/* Things leave the trash by themselves too, so the tag is made of what is answered. */
static void listed(struct store_op *asked)
{
    struct trash *trash = OWNER_OF(asked, struct trash, op.op, TRASH_MAGIC);
    const struct store_trash_list *op = &trash->op;
    struct http_exchange *x = asked->caller;
    char text[TAG_MOST];
    if (asked->result != ERROR_NONE) {
        respond_error(x, asked->result, NULL);
        return;
    }
    const struct slice cursor = op->more ? next_cursor(x, op) : (struct slice){0};
    write_page(x, op, cursor);
    if (x->response.body->failed || (op->more && !cursor.ptr)) {
        respond_no_memory(x);
        return;
    }
    const int64_t version = tag_content(buffer_slice(x->response.body));
    const struct slice tag = tag_make(api_tag_space(x), TAG_CONTENT, version, text);
    if (http_conditions_judge(&trash->conditions, tag) != HTTP_CONDITIONS_GO) {
        buffer_clear(x->response.body);
    } else if (op->more && !add_link(x, op, cursor)) {
        respond_no_memory(x);
        return;
    }
    if (precondition_holds(x, &trash->conditions, tag, ITEMS_CACHE)) {
        items_answer_fields(x, tag);
        respond_json(x, 200);
    }
}

/* Query and header values: 400 with all that is wrong. NULL: it was answered. */
static struct trash *read_request(struct http_exchange *x)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct trash *trash = arena_new(x->arena, struct trash);
    struct http_problem_errors errors = {0};
    struct http_query query;
    if (!trash ||
        (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0)) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(trash, TRASH_MAGIC);
    trash->op.op = api_op(x, listed, x);
    trash->op.space = api_caller(x)->user;
    trash->op.before = INT64_MAX;
    item_query_read_limit(&query, &trash->op.limit, &errors);
    const struct slice cursor = http_query_get(&query, "cursor");
    if (cursor.ptr && errors.count == 0 &&
        !cursor_read_history(api_keys(x), cursors_of(x), cursor, no_thing, x->arena,
                             &trash->op.before)) {
        http_problem_errors_add(
            &errors, (struct http_problem_error){.parameter = SLICE("cursor"),
                                                 .code = "invalid",
                                                 .detail = "Must be a next_cursor of the trash of "
                                                           "this account. Begin again without "
                                                           "one."});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return NULL;
    }
    return precondition_parse(x, &trash->conditions) ? trash : NULL;
}

bool trash_list_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void trash_list(struct http_exchange *x)
{
    struct trash *trash = read_request(x);
    if (trash) {
        api_engine(x)->trash_list(&trash->op);
    }
}

/* ---- what leaves it ---- */

void trash_restore(struct http_exchange *x)
{
    struct store_item_write *write = items_write_begin(x, STORE_RESTORE);
    if (write && items_read_nothing(x)) {
        idempotency_bind(write, NULL);
        api_engine(x)->item_write(write);
    }
}

static void leave(struct http_exchange *x, enum store_verb verb)
{
    struct store_item_write *write = items_write_begin(x, verb);
    if (write) {
        idempotency_bind(write, NULL);
        api_engine(x)->item_write(write);
    }
}

void trash_purge(struct http_exchange *x)
{
    leave(x, STORE_PURGE);
}

void trash_empty(struct http_exchange *x)
{
    leave(x, STORE_EMPTY);
}
