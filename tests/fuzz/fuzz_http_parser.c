// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include "http/chunked.h"
#include "http/parser.h"
#include "http/router.h"

/* The first byte of the input chooses how the rest is cut; the result must be the one of the whole.
 * What stands after a good head goes through the chunked decoder in the same two ways. */

#define BODY_MOST 4096

static uint32_t seed;

static size_t next_cut(size_t left)
{
    seed = seed * 1664525 + 1013904223;
    size_t cut = 1 + (seed >> 16) % 17;
    return cut < left ? cut : left;
}

/* A copy of exactly this length, so that ASan sees a read after it. */
static char *copy_of(struct slice s)
{
    char *copy = malloc(s.len > 0 ? s.len : 1);
    assert(copy);
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return copy;
}

static enum http_parse parse_cut(struct http_head *head, struct slice text)
{
    enum http_parse parse = HTTP_PARSE_MORE;
    size_t len = 0;
    *head = (struct http_head){0};
    while (parse == HTTP_PARSE_MORE && len < text.len) {
        len += next_cut(text.len - len);
        char *copy = copy_of((struct slice){text.ptr, len});
        parse = http_head_parse(head, (struct slice){copy, len});
        free(copy);
    }
    return parse;
}

static void check_span(const struct http_head *head, struct http_span span)
{
    assert(span.at + span.len <= head->length);
}

static void check_head(const struct http_head *head, struct slice text)
{
    assert(head->length <= text.len);
    check_span(head, head->target);
    for (enum http_field field = 0; field < HTTP_FIELD_COUNT; field++) {
        struct slice value;
        uint32_t at = 0;
        unsigned count = 0;
        check_span(head, head->fields[field]);
        while (http_head_next(head, text, http_field_name(field), &at, &value)) {
            assert(http_find_control(value, 0) == value.len);
            count++;
        }
        assert(count == head->counts[field]);
    }
}

static void check_target(const struct http_head *head, struct slice text)
{
    struct arena *arena = arena_create(65536);
    struct http_target target;
    struct slice span = {text.ptr + head->target.at, head->target.len};
    assert(arena);
    if (http_target_parse(span, head->method, arena, &target) == ERROR_NONE &&
        target.path.len > 0) {
        assert(target.path.ptr[0] == '/');
        assert(!memchr(target.path.ptr, '\0', target.path.len));
        assert(target.nowhere || !memmem(target.path.ptr, target.path.len, "//", 2));
        assert(target.nowhere || !memmem(target.path.ptr, target.path.len, "/../", 4));
    }
    arena_destroy(&arena);
}

static void check_chunked(struct slice text)
{
    struct http_chunked whole;
    struct http_chunked cut;
    char *first = copy_of(text);
    char *second = copy_of(text);
    size_t consumed = 0;
    size_t decoded = 0;
    size_t used = 0;
    size_t len = 0;
    http_chunked_init(&whole, BODY_MOST);
    http_chunked_init(&cut, BODY_MOST);
    enum http_parse expected =
        http_chunked_decode(&whole, (struct slice){first, text.len}, first, &consumed, &decoded);
    enum http_parse parse = HTTP_PARSE_MORE;
    while (parse == HTTP_PARSE_MORE && used < text.len) {
        size_t take = next_cut(text.len - used);
        size_t step = 0;
        size_t got = 0;
        parse = http_chunked_decode(&cut, (struct slice){second + used, take}, second + len, &step,
                                    &got);
        used += step;
        len += got;
    }
    assert(parse == expected && used == consumed && len == decoded && cut.error == whole.error);
    assert(len <= BODY_MOST && memcmp(first, second, len) == 0);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head whole;
    struct http_head cut;
    if (size == 0) {
        return 0;
    }
    seed = data[0];
    struct slice text = {(const char *)data + 1, size - 1};
    char *copy = copy_of(text);
    text.ptr = copy;
    whole = (struct http_head){0};
    enum http_parse expected = http_head_parse(&whole, text);
    enum http_parse parse = parse_cut(&cut, text);
    assert(parse == expected && whole.error == cut.error);
    if (parse == HTTP_PARSE_DONE) {
        assert(memcmp(&whole, &cut, sizeof whole) == 0);
        check_head(&whole, text);
        check_target(&whole, text);
        check_chunked((struct slice){text.ptr + whole.length, text.len - whole.length});
    }
    free(copy);
    return 0;
}
