// SPDX-License-Identifier: MIT
#include <sodium.h>
#include <stdio.h>

#include "api/context.h"
#include "api/cursor.h"
#include "api/handlers.h"
#include "api/item_query.h"
#include "api/items.h"
#include "api/precondition.h"
#include "api/request_zone.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/owner.h"

/* GET /v1/COLLECTION: one page, written row by row into the answer while the store reads it; or
 * copied from what this loop answered before at the same revision of the space. An answer that may
 * change while nothing in the space does, because days begin and tasks become overdue, is never
 * copied, and its tag is made of what is in it. */

#define CURSOR_MOST 8192 /* bytes: a text of 1,024 code points of 4 bytes, in base64 */

/* A page ends before it could grow larger than this, its last members included. */
#define PAGE_MOST ((size_t)256 * 1024)
#define ROWS_MOST (PAGE_MOST - CURSOR_MOST - 64)

#define LIST_MAGIC 0x8c41e7d2u

struct list {
    struct store_item_list op;
    unsigned magic;
    struct http_exchange *x;
    struct item_query query;
    struct http_conditions conditions;
    struct json_writer json;
    struct store_position next; /* the last row, once the next may not fit */
    unsigned rows;
    size_t fields_begin; /* where the page's own field lines begin in the head */
    char tag_text[TAG_MOST];
    struct slice tag; /* ptr NULL: not made */
    bool cached;      /* the answer is complete: it was copied */
    bool no_memory;
};

static struct list_cache_key key_of(const struct list *list)
{
    return (struct list_cache_key){
        .user = list->op.space,
        .query = list->query.key,
        .revision = list->op.revision,
    };
}

/* Of what the page holds, but for its cursor, in which the clock is. */
static void make_content_tag(struct list *list)
{
    const struct buffer *body = list->x->response.body;
    struct {
        unsigned char items[crypto_shorthash_BYTES];
        int64_t total;
        int64_t more;
    } content = {.total = list->op.with_total ? list->op.total : -1, .more = list->op.more};
    unsigned char hash[crypto_shorthash_BYTES];
    const struct uuid epoch = api_of(list->x)->epoch;
    uint64_t version = 0;
    crypto_shorthash(content.items, (const unsigned char *)body->data, body->len, epoch.bytes);
    crypto_shorthash(hash, (const unsigned char *)&content, sizeof content, epoch.bytes);
    memcpy(&version, hash, sizeof version);
    list->tag =
        tag_make(api_tag_space(list->x), TAG_CONTENT, (int64_t)(version >> 1), list->tag_text);
}

static void make_tag(struct list *list)
{
    list->tag = tag_make(api_tag_space(list->x), TAG_LIST, list->op.revision, list->tag_text);
}

static bool begin(struct store_item_list *op)
{
    struct list *list = OWNER_OF(op, struct list, op, LIST_MAGIC);
    /* A kept answer has its tag among its fields. */
    if (!list->query.unsteady &&
        (list->conditions.match.present || list->conditions.none_match.present)) {
        make_tag(list);
        if (http_conditions_judge(&list->conditions, list->tag) != HTTP_CONDITIONS_GO) {
            return false;
        }
    }
    const struct list_cache_key key = key_of(list);
    struct http_response *response = &list->x->response;
    struct list_cache_page cached;
    buffer_clear(response->body); /* it may begin anew, at a later revision */
    list->cached =
        !list->query.unsteady && list_cache_find(api_loop_of(list->x)->lists, &key, &cached);
    if (list->cached) {
        buffer_add(response->head, cached.fields);
        buffer_add(response->body, cached.body);
        return false;
    }
    list->fields_begin = response->head->len;
    list->json = respond_json_begin(list->x);
    jw_open_object(&list->json);
    jw_name(&list->json, SLICE("items"));
    jw_open_array(&list->json);
    return true;
}

/* The row lives only until the next one, so what a cursor needs of it is kept. */
static void keep_position(struct list *list, const struct item *item)
{
    const struct store_item_list *op = &list->op;
    struct slice place = op->place;
    list->next = (struct store_position){.id = item->id};
    for (unsigned i = 0; i < op->order_count; i++) {
        const struct field *field = op->orders[i].field;
        struct field_value *key = &list->next.keys[i];
        *key = field_get(field, item);
        if (op->orders[i].order == LIST_BY_LIST) {
            key->null |= !place.ptr; /* a list that is not there has no place either */
            list->next.beside[i] = place.ptr ? arena_copy(list->x->arena, place) : place;
            list->no_memory |= place.ptr && !list->next.beside[i].ptr;
        }
        if (!key->null && !field_is_number(field->type)) {
            key->bytes = arena_copy(list->x->arena, key->bytes);
            list->no_memory |= key->bytes.ptr == NULL;
        }
    }
}

/* A row that does not fit is the first of the next page; the position is kept of every row after
 * which that may happen. */
static bool each(struct store_item_list *op, const void *row)
{
    struct list *list = OWNER_OF(op, struct list, op, LIST_MAGIC);
    struct buffer *body = list->x->response.body;
    const struct item *item = row;
    const size_t before = body->len;
    const size_t most = resource_json_most(op->resource);
    assert(most <= ROWS_MOST);
    resource_encode(op->resource, item, RESOURCE_ALL, &list->json);
    if (body->len > ROWS_MOST && list->rows > 0) {
        body->len = before;
        op->more = true;
        return false;
    }
    if (++list->rows == op->limit || body->len + most > ROWS_MOST) {
        keep_position(list, item);
    }
    return true;
}

static struct uuid cursors_of(const struct list *list)
{
    return cursor_space(api_of(list->x)->epoch, list->op.space);
}

/* The cursor of the next page, in the body and as a link. */
static void add_next(struct list *list)
{
    struct buffer cursor;
    struct buffer link;
    buffer_init(&cursor, CURSOR_MOST);
    buffer_init(&link, 2 * CURSOR_MOST);
    cursor_make(api_keys(list->x), cursors_of(list), &list->op, list->query.clock, &list->next,
                &cursor);
    respond_member(&list->json, SLICE("next_cursor"), buffer_slice(&cursor));
    buffer_add_char(&link, '<');
    buffer_add(&link, http_path_prefix(list->x));
    buffer_add_format(&link, "/v1/%s?", list->op.resource->collection.ptr);
    item_query_add_next(&list->query, buffer_slice(&cursor), &link);
    buffer_add_text(&link, ">; rel=\"next\"");
    list->no_memory |= cursor.failed || link.failed;
    if (!list->no_memory) {
        http_respond_field(list->x, "Link", buffer_slice(&link));
    }
    buffer_finish(&link);
    buffer_finish(&cursor);
}

/* Ends the page and keeps it: it is complete but for what every answer has. */
static void finish(struct list *list)
{
    const struct http_response *response = &list->x->response;
    jw_close_array(&list->json);
    if (list->query.unsteady && !response->body->failed) {
        make_content_tag(list);
    } else {
        make_tag(list);
    }
    if (list->op.more) {
        add_next(list);
    } else {
        respond_member(&list->json, SLICE("next_cursor"), (struct slice){0});
    }
    if (list->op.with_total) {
        assert(list->op.total >= 0);
        jw_name(&list->json, SLICE("total"));
        jw_i64(&list->json, list->op.total);
    }
    jw_close_object(&list->json);
    items_answer_fields(list->x, list->tag);
    if (list->query.unsteady || list->no_memory || response->head->failed ||
        response->body->failed) {
        return;
    }
    const struct list_cache_key key = key_of(list);
    const struct list_cache_page answer = {
        .fields = {response->head->data + list->fields_begin,
                   response->head->len - list->fields_begin},
        .body = buffer_slice(response->body),
    };
    list_cache_put(api_loop_of(list->x)->lists, &key, &answer);
}

/* Only now it is known whether the client has it already. */
static void answer_unsteady(struct list *list)
{
    struct http_exchange *x = list->x;
    struct http_response *response = &x->response;
    finish(list);
    if (list->no_memory) {
        respond_no_memory(x);
    } else if (http_conditions_judge(&list->conditions, list->tag) == HTTP_CONDITIONS_GO) {
        respond_json(x, 200);
    } else {
        response->head->len = list->fields_begin;
        buffer_clear(response->body);
        const bool holds = precondition_holds(x, &list->conditions, list->tag, ITEMS_CACHE);
        assert(!holds);
        (void)holds;
    }
}

static void listed(struct store_op *op)
{
    struct list *list = OWNER_OF(op, struct list, op.op, LIST_MAGIC);
    struct http_exchange *x = list->x;
    if (op->result != ERROR_NONE) {
        respond_user_error(x, op->result);
        return;
    }
    if (list->tag.ptr && !precondition_holds(x, &list->conditions, list->tag, ITEMS_CACHE)) {
        return;
    }
    if (list->query.unsteady) {
        answer_unsteady(list);
        return;
    }
    if (!list->cached) {
        finish(list);
    }
    if (list->no_memory) {
        respond_no_memory(x);
        return;
    }
    respond_json(x, 200);
}

/* What the query's names are, and its zone where it names one. NULL: it was answered. */
static struct list *begin_request(struct http_exchange *x, struct zone **zone,
                                  struct http_problem_errors *errors)
{
    struct list *list = arena_new(x->arena, struct list);
    *zone = NULL;
    if (!list) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(list, LIST_MAGIC);
    list->x = x;
    list->op.op = api_op(x, listed, NULL);
    list->op.resource = items_resource(x);
    list->op.space = api_caller(x)->user;
    list->op.begin = begin;
    list->op.each = each;
    bool good = item_query_begin(&x->request, list->op.resource, x->arena, &list->query, errors);
    const struct slice name = good ? item_query_zone(&list->query) : (struct slice){0};
    if (name.ptr) {
        good = request_zone_named(x, name, errors, zone);
    }
    if (!good) {
        respond_no_memory(x);
        return NULL;
    }
    return list;
}

/* Query and header values, all but the names: 400 with all that is wrong. False: it was answered.
 * Takes the zone over. */
static bool read_values(struct list *list, struct zone *zone, struct http_problem_errors *errors)
{
    struct http_exchange *x = list->x;
    const struct item_query_reading reading = {.keys = api_keys(x),
                                               .cursor_space = cursors_of(list),
                                               .arena = x->arena,
                                               .zone = zone,
                                               .now = clock_wall_ms()};
    const bool read = item_query_read(&list->query, &reading, &list->op, errors);
    zone_release(&zone);
    if (errors->count > 0) {
        http_respond_problem(x, ERROR_INVALID_PARAMETER, NULL, errors);
        return false;
    }
    if (!read) {
        respond_no_memory(x);
        return false;
    }
    return precondition_parse(x, &list->conditions);
}

static void list_in_zone(struct http_exchange *x, void *context, struct zone *zone)
{
    struct http_problem_errors errors = {0};
    struct list *list = context;
    assert(list->magic == LIST_MAGIC);
    if (read_values(list, zone, &errors)) {
        api_engine(x)->item_list(&list->op);
    }
}

/* A list that the account's zone decides is judged in UTC here: only whether a cursor belongs to it
 * may be another answer. */
bool items_list_values(struct http_exchange *x)
{
    struct zone *zone = NULL;
    struct http_problem_errors errors = {0};
    struct list *list = begin_request(x, &zone, &errors);
    return list && read_values(list, zone ? zone : zone_utc(), &errors);
}

void items_list(struct http_exchange *x)
{
    struct zone *zone = NULL;
    struct http_problem_errors errors = {0};
    struct list *list = begin_request(x, &zone, &errors);
    if (!list) {
        return;
    }
    /* Of a query that is wrong no zone is needed to say all that is. */
    if (errors.count == 0 && list->query.zoned && !item_query_zone(&list->query).ptr) {
        request_zone_of_caller(x, list_in_zone, list);
    } else if (read_values(list, zone, &errors)) {
        api_engine(x)->item_list(&list->op);
    }
}
