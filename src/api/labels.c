// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "api/context.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/item_query.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/owner.h"
#include "http/query.h"

/* GET /v1/labels: what the labels of all tasks are. A label is there while a task carries it, so
 * the tag of the answer is that of all lists of the space. */

#define LIST_MAGIC  0x70ae5c19u
#define CURSOR_MOST 1024 /* bytes: a label in base64, with its MAC */

struct labels {
    struct store_label_list op;
    unsigned magic;
    struct http_exchange *x;
    struct http_conditions conditions;
};

static struct slice tag_of(const struct labels *labels, char text[static TAG_MOST])
{
    return tag_make(api_tag_space(labels->x), TAG_LIST, labels->op.revision, text);
}

static bool begin(struct store_label_list *op)
{
    const struct labels *labels = OWNER_OF(op, struct labels, op, LIST_MAGIC);
    char text[TAG_MOST];
    return http_conditions_judge(&labels->conditions, tag_of(labels, text)) == HTTP_CONDITIONS_GO;
}

static void write_label(struct json_writer *w, const struct store_label *label)
{
    jw_open_object(w);
    respond_member(w, SLICE("name"), label->name);
    jw_name(w, SLICE("tasks"));
    jw_i64(w, label->tasks);
    jw_name(w, SLICE("open"));
    jw_i64(w, label->open);
    jw_close_object(w);
}

static struct uuid cursors_of(const struct http_exchange *x)
{
    return cursor_space(api_of(x)->epoch, api_caller(x)->user);
}

/* The cursor of the next page, in the body and as a link. False without memory. */
static bool add_next(struct labels *labels, struct json_writer *w)
{
    struct http_exchange *x = labels->x;
    struct buffer cursor;
    struct buffer link;
    assert(labels->op.count > 0);
    buffer_init(&cursor, CURSOR_MOST);
    buffer_init(&link, 2 * CURSOR_MOST);
    cursor_make_label(api_keys(x), cursors_of(x), labels->op.items[labels->op.count - 1].name,
                      &cursor);
    respond_member(w, SLICE("next_cursor"), buffer_slice(&cursor));
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(x));
    buffer_add_format(&link, "/v1/labels?limit=%u&cursor=", labels->op.limit);
    buffer_add(&link, buffer_slice(&cursor));
    buffer_add_text(&link, ">; rel=\"next\"");
    const bool made = !cursor.failed && !link.failed;
    if (made) {
        http_respond_field(x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
    buffer_finish(&cursor);
    return made;
}

static void listed(struct store_op *op)
{
    struct labels *labels = OWNER_OF(op, struct labels, op.op, LIST_MAGIC);
    struct http_exchange *x = labels->x;
    char text[TAG_MOST];
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    const struct slice tag = tag_of(labels, text);
    if (!precondition_holds(x, &labels->conditions, tag, ITEMS_CACHE)) {
        return;
    }
    struct json_writer w = respond_json_begin(x);
    jw_open_object(&w);
    jw_name(&w, SLICE("items"));
    jw_open_array(&w);
    for (unsigned i = 0; i < labels->op.count; i++) {
        write_label(&w, &labels->op.items[i]);
    }
    jw_close_array(&w);
    if (!labels->op.more) {
        respond_member(&w, SLICE("next_cursor"), (struct slice){0});
    } else if (!add_next(labels, &w)) {
        respond_no_memory(x);
        return;
    }
    jw_close_object(&w);
    items_answer_fields(x, tag);
    respond_json(x, 200);
}

/* Query and header values: 400 with all that is wrong. NULL: it was answered. */
static struct labels *read_request(struct http_exchange *x)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct labels *labels = arena_new(x->arena, struct labels);
    struct http_problem_errors errors = {0};
    struct http_query query;
    if (!labels ||
        (!http_query_parse(&x->request, names, x->arena, &query, &errors) && errors.count == 0)) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(labels, LIST_MAGIC);
    labels->x = x;
    labels->op.op = api_op(x, listed, NULL);
    labels->op.space = api_caller(x)->user;
    labels->op.after = SLICE("");
    labels->op.begin = begin;
    item_query_read_limit(&query, &labels->op.limit, &errors);
    const struct slice cursor = http_query_get(&query, SLICE("cursor"));
    if (cursor.ptr && errors.count == 0 &&
        !cursor_read_label(api_keys(x), cursors_of(x), cursor, x->arena, &labels->op.after)) {
        http_problem_errors_add(
            &errors, (struct http_problem_error){.parameter = SLICE("cursor"),
                                                 .code = "invalid",
                                                 .detail = "Must be a next_cursor of the labels "
                                                           "of this account. Begin again without "
                                                           "one."});
    }
    if (errors.count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, &errors);
        return NULL;
    }
    return precondition_parse(x, &labels->conditions) ? labels : NULL;
}

bool labels_list_values(struct http_exchange *x)
{
    return read_request(x) != NULL;
}

void labels_list(struct http_exchange *x)
{
    struct labels *labels = read_request(x);
    if (labels) {
        api_engine(x)->label_list(&labels->op);
    }
}

/* ---- one label ---- */

#define WRITE_MAGIC 0xd94b6e27u

struct label_write {
    struct store_item_write op;
    unsigned magic;
};

/* The body of a rename. */
struct new_name {
    struct slice name;
};

static const char *is_dots(struct slice text)
{
    return slice_eq(text, SLICE(".")) || slice_eq(text, SLICE(".."))
               ? "Must not be `.` or `..`: no path could name it."
               : NULL;
}

static const struct field new_name_fields[] = {
    {.name = FIELD_NAME("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK,
     .most = TASK_LABEL_MOST,
     .at = offsetof(struct new_name, name),
     .bit = 1,
     .wrong = is_dots,
     .wrong_code = "not_allowed"},
};

static void refuse_label(struct http_exchange *x, enum error error)
{
    if (error == ERROR_TOO_MANY) {
        respond_error(x, error,
                      "More than 10,000 tasks carry this label, and one request changes no more. "
                      "Nothing was changed. Change tasks in smaller steps: GET "
                      "/v1/tasks?label=NAME finds them, and PATCH /v1/tasks/{id} sets `labels`.");
        return;
    }
    respond_user_error(x, error);
}

static void label_written(struct store_op *op)
{
    struct label_write *owner = OWNER_OF(op, struct label_write, op.op, WRITE_MAGIC);
    const struct store_item_write *write = &owner->op;
    struct http_exchange *x = op->caller;
    char text[TAG_MOST];
    if (op->result != ERROR_NONE) {
        refuse_label(x, op->result);
        return;
    }
    if (write->replayed) {
        http_respond_field(x, "Idempotency-Replayed", SLICE("true"));
    }
    switch (write->outcome) {
    case STORE_UPDATED:
        items_answer_fields(x, tag_make(api_tag_space(x), TAG_LIST, write->revision, text));
        (void)respond_json_begin(x);
        buffer_add(x->response.body, write->body);
        respond_json(x, 200);
        break;
    case STORE_DELETED:
        http_respond_field(x, "Cache-Control", ITEMS_CACHE);
        http_respond_status(x, 204);
        break;
    case STORE_NOT_FOUND:
        respond_error(x, ERROR_NOT_FOUND,
                      "No task of your account carries this label, code point for code point. GET "
                      "/v1/labels lists those that there are.");
        break;
    case STORE_PRECONDITION_FAILED:
        precondition_refuse(x, write->verdict, TAG_LIST, write->revision);
        break;
    case STORE_KEY_REUSED: respond_error(x, ERROR_IDEMPOTENCY_KEY_REUSED, NULL); break;
    case STORE_KEY_IN_USE: respond_error(x, ERROR_IDEMPOTENCY_KEY_IN_USE, NULL); break;
    default: respond_error(x, ERROR_INTERNAL_ERROR, NULL); break;
    }
}

static bool read_label_header(struct http_exchange *x, struct store_item_write *write)
{
    return precondition_read(x, TAG_LIST, &write->precondition) &&
           idempotency_read(x, &write->idempotency);
}

/* As the method says. */
void labels_write(struct http_exchange *x)
{
    const bool renames = x->route->method == HTTP_PATCH;
    struct label_write *owner = arena_new(x->arena, struct label_write);
    const struct slice name = api_path_name(x);
    uint8_t content[JSON_READER_DIGEST];
    if (!owner || !name.ptr) {
        respond_no_memory(x);
        return;
    }
    OWNER_SET(owner, WRITE_MAGIC);
    struct store_item_write *write = &owner->op;
    write->op = api_op(x, label_written, x);
    write->resource = &task_resource;
    write->verb = STORE_RELABEL;
    write->label.from = name;
    write->space = api_caller(x)->user;
    write->actor = api_actor(x);
    write->now = clock_wall_ms();
    write->steady = clock_steady_ms();
    if (!read_label_header(x, write)) {
        return;
    }
    if (renames) {
        struct new_name input = {.name = name}; /* a patch without it changes nothing */
        struct field_reading reading = {
            .fields = new_name_fields, .count = 1, .mode = FIELD_PATCH, .input = &input};
        if (!body_decode(x, &reading, write->idempotency.key.ptr ? content : NULL)) {
            return;
        }
        write->label.to = input.name;
    }
    idempotency_bind(write, renames ? content : NULL);
    api_engine(x)->item_write(write);
}

bool labels_delete_values(struct http_exchange *x)
{
    struct store_item_write write = {0};
    return read_label_header(x, &write);
}
