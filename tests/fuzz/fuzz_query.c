// SPDX-License-Identifier: MIT
/* The query parser and the entity tags of conditional requests, on the same bytes. */
#include <stdlib.h>

#include "http/fields.h"
#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void parse_query(struct arena *arena, struct slice text)
{
    static const char *const allowed[] = {"limit", "cursor", "status[]", "sort", "include", NULL};
    const struct http_request request = {.query = text};
    struct http_problem_errors errors = {0};
    struct http_query query;

    must(http_query_parse(&request, allowed, arena, &query, &errors) == (errors.count == 0));
    for (unsigned i = 0; i < query.count; i++) {
        must(slice_eq(http_query_get(&query, query.list[i].name), query.list[i].value));
        must(utf8_valid(query.list[i].value) || errors.count > 0);
    }
    for (unsigned i = 0; i < errors.count; i++) {
        must(utf8_valid(errors.list[i].parameter));
        must(utf8_valid(slice_of(errors.list[i].detail)));
    }
}

static void parse_condition(struct slice text)
{
    struct http_request request = {0};
    struct http_conditions conditions;

    request.fields[HTTP_FIELD_IF_MATCH].value = text;
    if (http_conditions_parse(&request, &conditions) == NULL) {
        struct slice list = conditions.match.list;
        struct slice opaque;
        unsigned count = 0;
        while (!conditions.match.any && http_condition_next(&list, &opaque)) {
            must(opaque.len == 0 ||
                 (opaque.ptr > text.ptr && opaque.ptr + opaque.len < text.ptr + text.len));
            count++;
        }
        must(!text.ptr || conditions.match.any || count > 0);
        (void)http_conditions_judge(&conditions, SLICE("\"1\""));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    struct arena *arena = arena_create(1 << 20);

    if (copy && arena && size <= 8192) {
        if (size > 0) {
            memcpy(copy, data, size);
        }
        parse_query(arena, (struct slice){copy, size});
        parse_condition((struct slice){copy, size});
    }
    arena_destroy(&arena);
    free(copy);
    return 0;
}
