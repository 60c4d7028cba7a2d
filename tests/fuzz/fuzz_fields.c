// SPDX-License-Identifier: MIT
/* Values of header fields: the first byte chooses which; the rest is the value, or several, one a
 * line. */
#include <stdlib.h>

#include "api/items.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "http/fields.h"
#include "http/parser.h"

#define ARENA_MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tag_space space = {{'a', 'b', 'c', 'd', 'e', 'f'}};

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Each tag of a checked list lies in it, and one that is of this space is made as it was read. */
static void walk_tags(struct slice list)
{
    struct slice rest = list;
    struct slice opaque;
    while (http_condition_next(&rest, &opaque)) {
        int64_t version = 0;
        must(opaque.ptr >= list.ptr && opaque.ptr + opaque.len <= list.ptr + list.len);
        must(rest.len < list.len && !memchr(opaque.ptr, '"', opaque.len));
        if (tag_read(space, TAG_ITEM, opaque, &version)) {
            char tag[TAG_MOST];
            const struct slice made = tag_make(space, TAG_ITEM, version, tag);
            must(version >= 0 && made.len == opaque.len + 2);
            must(memcmp(made.ptr + 1, opaque.ptr, opaque.len) == 0);
            must(!tag_read(space, TAG_USER, opaque, &version));
        }
    }
}

static void check_conditions(const struct http_request *request, struct slice value)
{
    struct http_conditions conditions;
    struct store_versions versions = {0};
    struct store_versions one = {0};
    const char *wrong = http_conditions_parse(request, &conditions);
    const char *why = precondition_read_match(value, space, TAG_ITEM, &one);
    if (wrong) {
        return;
    }
    if (conditions.match.present && !conditions.match.any) {
        walk_tags(conditions.match.list);
        const bool room = precondition_add_list(conditions.match.list, space, TAG_ITEM, &versions);
        must(versions.count <= STORE_VERSIONS_MOST && (room || why));
    }
    must(one.count <= STORE_VERSIONS_MOST);
    /* `*` names all there is: a write goes, and a read was not changed. */
    const enum http_conditions_verdict verdict =
        http_conditions_judge(&conditions, SLICE("\"abcdefx\""));
    must(!conditions.match.any || verdict != HTTP_CONDITIONS_FAILED);
    must(!conditions.none_match.any || verdict == HTTP_CONDITIONS_NOT_MODIFIED);
}

/* A key that was read, sent bare again, is itself. */
static void check_key(struct slice value, struct arena *arena)
{
    struct slice key = {0};
    struct slice again = {0};
    if (!idempotency_key_parse(value, arena, &key)) {
        return;
    }
    must(key.len > 0 && key.len <= IDEMPOTENCY_KEY_MOST);
    for (size_t i = 0; i < key.len; i++) {
        must(key.ptr[i] > 0x20 && key.ptr[i] < 0x7f);
    }
    if (key.ptr[0] != '"') {
        must(idempotency_key_parse(key, arena, &again) && slice_eq(again, key));
    }
}

static void check_trace(const struct http_request *request)
{
    const struct slice id = http_trace_id(request);
    must(!id.ptr || id.len == HTTP_TRACE_ID_LEN);
    for (size_t i = 0; i < id.len; i++) {
        must(ascii_hex(id.ptr[i]) >= 0 && !(id.ptr[i] >= 'A' && id.ptr[i] <= 'F'));
    }
}

/* A body that is good for a call that takes less is good for one that takes more. */
static void check_negotiation(const struct http_request *request)
{
    (void)http_accepts(request, SLICE("application/json"));
    (void)http_accepts(request, SLICE("text/html; charset=utf-8"));
    (void)http_accepts_gzip(request);
    const enum http_body_type all =
        http_body_type(request, HTTP_CONSUMES_JSON | HTTP_CONSUMES_MERGE_PATCH);
    const enum http_body_type one = http_body_type(request, HTTP_CONSUMES_JSON);
    must(one != HTTP_BODY_TYPE_GOOD || all == HTTP_BODY_TYPE_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request = {.method = HTTP_GET};
    if (size == 0) {
        return 0;
    }
    char *copy = malloc(size); /* of exactly this length, so that ASan sees a read after it */
    struct arena *arena = arena_create(ARENA_MOST);
    must(copy && arena);
    memcpy(copy, data + 1, size - 1);
    const struct slice value = slice_trim((struct slice){copy, size - 1});
    /* As the parser leaves it: no control character but a tab. */
    if (http_find_control(value, 0) == value.len) {
        struct http_field_value *field = &request.fields[data[0] % HTTP_FIELD_COUNT];
        field->value = value;
        field->count = data[0] < 128 ? 1 : 2;
        check_conditions(&request, value);
        check_key(value, arena);
        check_trace(&request);
        check_negotiation(&request);
    }
    free(copy);
    arena_destroy(&arena);
    return 0;
}
