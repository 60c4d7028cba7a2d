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

/* GET /v1/tasks/{id}/history: what was done to a task, the newest first. */

#define HISTORY_MAGIC 0x2b8df04eu
#define CURSOR_MOST   128 /* bytes */

struct history {
    struct store_history op;
    unsigned magic;
    struct http_conditions conditions;
};

/* ---- what is answered ---- */

static struct slice op_of(const struct store_past_change *change)
{
    static const struct slice names[] = {
        [STORE_CREATE] = FIELD_NAME("create"), [STORE_REPLACE] = FIELD_NAME("replace"),
        [STORE_UPDATE] = FIELD_NAME("update"), [STORE_DELETE] = FIELD_NAME("delete"),
        [STORE_MOVE] = FIELD_NAME("move"),     [STORE_RESTORE] = FIELD_NAME("restore"),
    };
    if (change->is_undo) {
        return SLICE("undo");
    }
    const bool known = change->verb < sizeof names / sizeof names[0] && names[change->verb].ptr;
    return known ? names[change->verb] : SLICE("update");
}

static void write_id(struct json_writer *w, struct slice name, const struct uuid *id)
{
    jw_name(w, name);
    if (id) {
        jw_uuid(w, *id);
    } else {
        jw_null(w);
    }
}

static void write_actor(struct json_writer *w, const struct store_actor *by)
{
    static const struct uuid nobody;
    const bool known = !uuid_eq(by->id, nobody);
    jw_open_object(w);
    write_id(w, SLICE("session_id"), known && !by->is_token ? &by->id : NULL);
    write_id(w, SLICE("token_id"), known && by->is_token ? &by->id : NULL);
    respond_member(w, SLICE("name"), known ? by->name : SLICE("operator"));
    jw_close_object(w);
}

static void write_members(struct json_writer *w, const struct resource *resource,
                          const struct store_past_change *change)
{
    jw_open_object(w);
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if ((change->members & 1U << i) == 0) {
            continue;
        }
        jw_name(w, field->name);
        jw_open_object(w);
        jw_name(w, SLICE("from"));
        if (change->from) {
            field_write_value(field, change->from, w);
        } else {
            jw_null(w);
        }
        jw_name(w, SLICE("to"));
        field_write_value(field, change->to, w);
        jw_close_object(w);
    }
    jw_close_object(w);
}

static void write_change(struct json_writer *w, const struct resource *resource,
                         const struct store_past_change *change)
{
    jw_open_object(w);
    jw_name(w, SLICE("revision"));
    jw_i64(w, change->revision);
    jw_name(w, SLICE("at"));
    jw_time(w, change->at);
    jw_name(w, SLICE("by"));
    write_actor(w, &change->by);
    respond_member(w, SLICE("op"), op_of(change));
    jw_name(w, SLICE("changes"));
    write_members(w, resource, change);
    jw_close_object(w);
}

static struct uuid cursors_of(const struct http_exchange *x)
{
    return cursor_space(api_of(x)->epoch, api_caller(x)->user);
}

/* The cursor of the page after this one, in the request's arena; ptr NULL without memory. */
static struct slice next_cursor(struct http_exchange *x, const struct store_history *op)
{
    struct buffer text;
    assert(op->more && op->count > 0);
    buffer_init(&text, CURSOR_MOST);
    cursor_make_history(api_keys(x), cursors_of(x), op->id, op->items[op->count - 1].revision,
                        &text);
    const struct slice cursor =
        text.failed ? (struct slice){0} : arena_copy(x->arena, buffer_slice(&text));
    buffer_finish(&text);
    return cursor;
}

/* False without memory. */
static bool add_link(struct http_exchange *x, const struct store_history *op, struct slice cursor)
{
    struct buffer link;
    char id[UUID_TEXT_LEN];
    uuid_format(op->id, id);
    buffer_init(&link, 1024);
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(x));
    buffer_add_format(&link, "/v1/tasks/%.*s/history?limit=%u&cursor=", UUID_TEXT_LEN, id,
                      op->limit);
    buffer_add(&link, cursor);
    buffer_add_text(&link, ">; rel=\"next\"");
    const bool made = !link.failed;
    if (made) {
        http_respond_field(x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
    return made;
}

static void write_page(struct json_writer *w, const struct store_history *op, struct slice cursor)
{
    jw_open_object(w);
    jw_name(w, SLICE("items"));
    jw_open_array(w);
    for (unsigned i = 0; i < op->count; i++) {
        write_change(w, op->resource, &op->items[i]);
    }
    jw_close_array(w);
    respond_member(w, SLICE("next_cursor"), cursor);
    jw_close_object(w);
}

/* Names come and go without a change of the task, so the tag is made of what is answered. */
static void got_history(struct store_op *asked)
{
    struct history *history = OWNER_OF(asked, struct history, op.op, HISTORY_MAGIC);
    const struct store_history *op = &history->op;
    struct http_exchange *x = asked->caller;
    char text[TAG_MOST];
    if (asked->result != ERROR_NONE) {
        respond_error(x, asked->result, NULL);
        return;
    }
    if (!op->found) {
        items_answer_not_found(x);
        return;
    }
    const struct slice cursor = op->more ? next_cursor(x, op) : (struct slice){0};
    struct json_writer w = respond_json_begin(x);
    write_page(&w, op, cursor);
    if (x->response.body->failed || (op->more && !cursor.ptr)) {
        respond_no_memory(x);
        return;
    }
    const int64_t version = tag_content(buffer_slice(x->response.body));
    const struct slice tag = tag_make(api_tag_space(x), TAG_CONTENT, version, text);
    if (http_conditions_judge(&history->conditions, tag) != HTTP_CONDITIONS_GO) {
        buffer_clear(x->response.body);
    } else if (op->more && !add_link(x, op, cursor)) {
        respond_no_memory(x);
        return;
    }
    if (precondition_holds(x, &history->conditions, tag, ITEMS_CACHE)) {
        items_answer_fields(x, tag);
        respond_json(x, 200);
    }
}

/* ---- what is asked ---- */

/* Query and header values: 400 with all that is wrong. NULL: it was answered. */
static struct history *read_request(struct http_exchange *x)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct history *history = arena_new(x->arena, struct history);
    struct http_problem_errors errors = {0};
    struct http_query query;
    if (!history ||
        (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0)) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(history, HISTORY_MAGIC);
    history->op.op = api_op(x, got_history, x);
    history->op.resource = items_resource(x);
    history->op.space = api_caller(x)->user;
    history->op.id = api_path_id(x);
    item_query_read_limit(&query, &history->op.limit, &errors);
    const struct slice cursor = http_query_get(&query, "cursor");
    if (cursor.ptr && errors.count == 0 &&
        !cursor_read_history(api_keys(x), cursors_of(x), cursor, history->op.id, x->arena,
                             &history->op.before)) {
        http_problem_errors_add(
            &errors, (struct http_problem_error){.parameter = SLICE("cursor"),
                                                 .code = "invalid",
                                                 .detail = "Must be a next_cursor of the history "
                                                           "of this task. Begin again without "
                                                           "one."});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return NULL;
    }
    return precondition_parse(x, &history->conditions) ? history : NULL;
}

bool history_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void history_list(struct http_exchange *x)
{
    struct history *history = read_request(x);
    if (history) {
        api_engine(x)->history(&history->op);
    }
}
