// SPDX-License-Identifier: MIT
#include "api/items.h"

#include <sodium.h>
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/item_refusal.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/owner.h"

/* One item of the resource that the route names: GET, PUT, PATCH and DELETE
 * /v1/COLLECTION/{id}, POST /v1/COLLECTION. */

const struct resource *items_resource(const struct http_exchange *x)
{
    assert(x->route->subject);
    return x->route->subject;
}

/* ---- Idempotency-Key ---- */

/* Takes the backslashes out of what stands between two quotes (RFC 9651 section 3.3.3). */
static bool unescape(struct slice inner, struct arena *arena, struct slice *key)
{
    char text[IDEMPOTENCY_KEY_MOST];
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        if (c == '"' || len == sizeof text) {
            return false;
        }
        if (c == '\\') {
            i++;
            if (i == inner.len || (inner.ptr[i] != '"' && inner.ptr[i] != '\\')) {
                return false;
            }
            c = inner.ptr[i];
        }
        text[len++] = c;
    }
    *key = arena_copy(arena, (struct slice){text, len});
    return key->ptr != NULL && len > 0;
}

bool idempotency_key_parse(struct slice field, struct arena *arena, struct slice *key)
{
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] < 0x21 || field.ptr[i] > 0x7E) {
            return false;
        }
    }
    if (field.len == 0 || field.ptr[0] != '"') {
        *key = field;
        return field.len > 0 && field.len <= IDEMPOTENCY_KEY_MOST;
    }
    if (field.len < 2 || field.ptr[field.len - 1] != '"') {
        return false;
    }
    return unescape((struct slice){field.ptr + 1, field.len - 2}, arena, key);
}

void idempotency_bind(struct store_item_write *write, const uint8_t *content)
{
    crypto_generichash_state state;
    const uint8_t what[] = {(uint8_t)write->verb, (uint8_t)write->resource->kind};
    if (!write->idempotency.key.ptr) {
        return;
    }
    crypto_generichash_init(&state, NULL, 0, sizeof write->idempotency.fingerprint);
    crypto_generichash_update(&state, what, sizeof what);
    if (write->verb != STORE_CREATE) { /* whose id is made anew each time */
        crypto_generichash_update(&state, write->id.bytes, sizeof write->id.bytes);
    }
    if (write->verb == STORE_RELABEL) {
        crypto_generichash_update(&state, (const unsigned char *)write->label.from.ptr,
                                  write->label.from.len);
    }
    if (content) {
        crypto_generichash_update(&state, content, JSON_READER_DIGEST);
    }
    crypto_generichash_final(&state, write->idempotency.fingerprint,
                             sizeof write->idempotency.fingerprint);
}

void idempotency_bind_call(const struct http_exchange *x, struct store_idempotency *idempotency,
                           struct slice query, const uint8_t *content)
{
    crypto_generichash_state state;
    const struct slice call = slice_of(x->route->operation_id);
    assert(idempotency->key.ptr);
    crypto_generichash_init(&state, NULL, 0, sizeof idempotency->fingerprint);
    crypto_generichash_update(&state, (const unsigned char *)call.ptr, call.len + 1);
    if (query.len > 0) {
        crypto_generichash_update(&state, (const unsigned char *)query.ptr, query.len);
    }
    if (content) {
        crypto_generichash_update(&state, content, JSON_READER_DIGEST);
    }
    crypto_generichash_final(&state, idempotency->fingerprint, sizeof idempotency->fingerprint);
}

bool idempotency_read(struct http_exchange *x, struct store_idempotency *idempotency)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_IDEMPOTENCY_KEY];
    if (!field->value.ptr) {
        return true;
    }
    if (field->count > 1 || !idempotency_key_parse(field->value, x->arena, &idempotency->key)) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "Idempotency-Key must be given once, with 1 to 255 visible ASCII characters, "
                      "in double quotes or bare.");
        return false;
    }
    return true;
}

/* ---- preconditions ---- */

static bool has_conditions(const struct http_exchange *x)
{
    return x->request.fields[HTTP_FIELD_IF_MATCH].value.ptr ||
           x->request.fields[HTTP_FIELD_IF_NONE_MATCH].value.ptr;
}

/* ---- answers ---- */

void items_answer_fields(struct http_exchange *x, struct slice tag)
{
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", ITEMS_CACHE);
}

static void answer_item(struct http_exchange *x, int status, struct slice tag, const void *item,
                        struct slice body)
{
    items_answer_fields(x, tag);
    struct json_writer w = respond_json_begin(x);
    if (body.ptr) {
        buffer_add(x->response.body, body);
    } else {
        resource_encode(items_resource(x), item, RESOURCE_ALL, &w);
    }
    respond_json(x, status);
}

void items_answer_not_found(struct http_exchange *x)
{
    struct item_refusal refusal;
    item_refusal_not_found(items_resource(x), &refusal);
    respond_error(x, refusal.error, refusal.detail);
}

/* ---- reading one ---- */

#define GET_MAGIC 0x17d0c3a5u

struct get {
    struct store_item_get op;
    unsigned magic;
    struct http_conditions conditions;
};

static void got(struct store_op *op)
{
    const struct get *get = OWNER_OF(op, struct get, op.op, GET_MAGIC);
    struct http_exchange *x = op->caller;
    if (op->result == ERROR_NOT_FOUND) {
        items_answer_not_found(x);
        return;
    }
    if (op->result != ERROR_NONE) {
        respond_error(x, op->result, NULL);
        return;
    }
    char text[TAG_MOST];
    const struct item *item = get->op.item;
    struct slice tag = tag_make(api_tag_space(x), TAG_ITEM, item->revision, text);
    if (has_conditions(x) && !precondition_holds(x, &get->conditions, tag, ITEMS_CACHE)) {
        return;
    }
    answer_item(x, 200, tag, item, (struct slice){0});
}

void items_get(struct http_exchange *x)
{
    struct get *get = arena_new(x->arena, struct get);
    if (!get) {
        respond_no_memory(x);
        return;
    }
    if (has_conditions(x) && !precondition_parse(x, &get->conditions)) {
        return;
    }
    OWNER_SET(get, GET_MAGIC);
    get->op.op = api_op(x, got, x);
    get->op.resource = items_resource(x);
    get->op.space = api_caller(x)->user;
    get->op.id = api_path_id(x);
    api_engine(x)->item_get(&get->op);
}

/* ---- writing one ---- */

#define WRITE_MAGIC 0x5be29f61u

struct write {
    struct store_item_write op;
    unsigned magic;
    enum tag_kind asked; /* what its preconditions are about */
};

/* What a method writes. */
static const struct write_kind {
    enum store_verb verb;
    enum field_mode mode;
} kinds[HTTP_METHOD_COUNT] = {
    [HTTP_POST] = {STORE_CREATE, FIELD_WHOLE},
    [HTTP_PUT] = {STORE_REPLACE, FIELD_WHOLE},
    [HTTP_PATCH] = {STORE_UPDATE, FIELD_PATCH},
    [HTTP_DELETE] = {STORE_DELETE, FIELD_PATCH},
};

static void add_location(struct http_exchange *x, struct uuid id)
{
    const struct slice collection = items_resource(x)->collection;
    char path[128] = "/v1/";
    char *at = path + strlen(path);
    assert(collection.len + UUID_TEXT_LEN < sizeof path - 5);
    memcpy(at, collection.ptr, collection.len);
    at += collection.len;
    *at++ = '/';
    uuid_format(id, at);
    const struct slice whole = {path, (size_t)(at - path) + UUID_TEXT_LEN};
    http_respond_field(x, "Location", http_reference(x, whole));
}

static void written(struct store_op *op)
{
    const struct write *owner = OWNER_OF(op, struct write, op.op, WRITE_MAGIC);
    const struct store_item_write *write = &owner->op;
    struct http_exchange *x = op->caller;
    if (item_is_refused(write)) {
        struct item_refusal refusal;
        item_refusal_of(x, write, owner->asked, &refusal);
        item_refusal_send(x, write, owner->asked, &refusal);
        return;
    }
    if (write->replayed) {
        http_respond_field(x, "Idempotency-Replayed", SLICE("true"));
    }
    if (write->outcome == STORE_DELETED) {
        http_respond_field(x, "Cache-Control", ITEMS_CACHE);
        http_respond_status(x, 204);
        return;
    }
    if (write->outcome == STORE_CREATED) {
        add_location(x, write->item_id);
    }
    char text[TAG_MOST];
    const struct slice tag = tag_make(api_tag_space(x), TAG_ITEM, write->revision, text);
    answer_item(x, write->outcome == STORE_CREATED ? 201 : 200, tag, write->item, write->body);
}

/* What the header says of a write. False: 400 was sent. */
static bool read_header(struct http_exchange *x, enum tag_kind asked,
                        struct store_item_write *write)
{
    return (!has_conditions(x) || precondition_read(x, asked, &write->precondition)) &&
           idempotency_read(x, &write->idempotency);
}

struct store_item_write *items_write_begin(struct http_exchange *x, enum store_verb verb)
{
    struct write *owner = arena_new(x->arena, struct write);
    if (!owner) {
        respond_no_memory(x);
        return NULL;
    }
    OWNER_SET(owner, WRITE_MAGIC);
    owner->asked = verb == STORE_CREATE || verb == STORE_EMPTY ? TAG_LIST : TAG_ITEM;
    struct store_item_write *write = &owner->op;
    write->op = api_op(x, written, x);
    write->resource = items_resource(x);
    write->verb = verb;
    if (verb == STORE_CREATE) {
        write->id = uuid_make_v7();
    } else if (verb != STORE_EMPTY) {
        write->id = api_path_id(x);
    }
    write->space = api_caller(x)->user;
    write->actor = api_actor(x);
    write->now = clock_wall_ms();
    write->steady = clock_steady_ms();
    return read_header(x, owner->asked, write) ? write : NULL;
}

bool items_read_nothing(struct http_exchange *x)
{
    static const struct field none;
    char input = 0;
    struct field_reading reading = {.fields = &none, .mode = FIELD_SOME, .input = &input};
    return x->request.body.len == 0 || body_decode(x, &reading, NULL);
}

/* Fills a write from the path, the header and the body, in this order; the store decides. */
void items_write(struct http_exchange *x)
{
    const struct write_kind *kind = &kinds[x->route->method];
    const struct resource *resource = items_resource(x);
    const bool has_body = kind->verb != STORE_DELETE;
    assert(kind->verb >= STORE_CREATE);
    struct store_item_write *write = items_write_begin(x, kind->verb);
    if (!write) {
        return;
    }
    void *values = has_body ? arena_alloc(x->arena, resource->size) : NULL;
    if (has_body && !values) {
        respond_no_memory(x);
        return;
    }
    uint8_t content[JSON_READER_DIGEST];
    if (has_body) {
        resource_clear(resource, values);
        struct field_reading reading = {.fields = resource->fields,
                                        .count = resource->count,
                                        .mode = kind->mode,
                                        .input = values};
        if (!body_decode(x, &reading, write->idempotency.key.ptr ? content : NULL)) {
            return;
        }
        write->set = kind->mode == FIELD_WHOLE ? resource_settable(resource) : reading.set;
        write->given = reading.set;
    }
    write->values = values;
    idempotency_bind(write, has_body ? content : NULL);
    api_engine(x)->item_write(write);
}

bool items_delete_values(struct http_exchange *x)
{
    struct store_item_write write = {0};
    return read_header(x, TAG_ITEM, &write);
}
