#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/idempotency.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void keys_of_fields(void **state)
{
    static const struct {
        const char *field;
        const char *key; /* NULL: refused */
    } cases[] = {
        {"a", "a"},
        {"f3a2c5d0-add-milk", "f3a2c5d0-add-milk"},
        {"\"f3a2c5d0-add-milk\"", "f3a2c5d0-add-milk"},
        {"!~", "!~"},
        {"\"a\\\"b\"", "a\"b"},
        {"\"a\\\\b\"", "a\\b"},
        {"a\"b", "a\"b"},
        {"", NULL},
        {"\"", NULL},
        {"\"\"", NULL},
        {"\"a", NULL},
        {"\"a\"b\"", NULL},
        {"\"a\\\"", NULL},
        {"\"a\\n\"", NULL},
        {"\"a\";p=1", NULL},
        {"a b", NULL},
        {"\"a b\"", NULL},
        {"a\tb", NULL},
        {"a\x7f", NULL},
        {"\xc3\xa9", NULL},
    };
    struct arena *arena = arena_create(4096);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice key = {0};
        bool good = idempotency_key_parse(slice_of(cases[i].field), arena, &key);
        if (good != (cases[i].key != NULL) || (good && !slice_eq(key, slice_of(cases[i].key)))) {
            fail_msg("case %zu: %s", i, cases[i].field);
        }
    }
    arena_destroy(&arena);
}

static void lengths(void **state)
{
    char text[IDEMPOTENCY_KEY_MOST + 3];
    struct arena *arena = arena_create(4096);
    struct slice key;
    (void)state;
    memset(text, 'k', sizeof text);
    assert_true(idempotency_key_parse((struct slice){text, IDEMPOTENCY_KEY_MOST}, arena, &key));
    assert_false(
        idempotency_key_parse((struct slice){text, IDEMPOTENCY_KEY_MOST + 1}, arena, &key));
    text[0] = '"';
    text[IDEMPOTENCY_KEY_MOST + 1] = '"';
    assert_true(idempotency_key_parse((struct slice){text, IDEMPOTENCY_KEY_MOST + 2}, arena, &key));
    assert_int_equal(key.len, IDEMPOTENCY_KEY_MOST);
    text[IDEMPOTENCY_KEY_MOST + 1] = 'k';
    text[IDEMPOTENCY_KEY_MOST + 2] = '"';
    assert_false(
        idempotency_key_parse((struct slice){text, IDEMPOTENCY_KEY_MOST + 3}, arena, &key));
    arena_destroy(&arena);
}

static struct http_exchange sample(struct arena *arena)
{
    struct http_exchange x = {.arena = arena};
    x.request.method = HTTP_POST;
    x.request.path = SLICE("/v1/tasks");
    x.request.body = SLICE("{\"title\":\"a\"}");
    x.request.fields[HTTP_FIELD_IDEMPOTENCY_KEY] =
        (struct http_field_value){.value = SLICE("k"), .count = 1};
    return x;
}

static void assert_fingerprints(struct http_exchange *a, struct http_exchange *b, bool same)
{
    struct store_idempotency one = {0};
    struct store_idempotency two = {0};
    assert_true(idempotency_read(a, &one));
    assert_true(idempotency_read(b, &two));
    assert_int_equal(memcmp(one.fingerprint, two.fingerprint, sizeof one.fingerprint) == 0, same);
}

/* Everything that could make it another request counts, and nothing else. */
static void fingerprints(void **state)
{
    struct arena *arena = arena_create(4096);
    struct http_exchange a = sample(arena);
    struct http_exchange b = sample(arena);
    (void)state;
    assert_fingerprints(&a, &b, true);
    b.request.fields[HTTP_FIELD_IDEMPOTENCY_KEY].value = SLICE("\"k\"");
    b.request.fields[HTTP_FIELD_USER_AGENT].value = SLICE("curl");
    assert_fingerprints(&a, &b, true);
    b = sample(arena);
    b.request.method = HTTP_PUT;
    assert_fingerprints(&a, &b, false);
    b = sample(arena);
    b.request.path = SLICE("/v1/tasks/x");
    assert_fingerprints(&a, &b, false);
    b = sample(arena);
    b.request.body = SLICE("{\"title\":\"b\"}");
    assert_fingerprints(&a, &b, false);
    b = sample(arena);
    b.request.fields[HTTP_FIELD_IF_MATCH].value = SLICE("\"1\"");
    b.request.fields[HTTP_FIELD_IF_NONE_MATCH].value = SLICE("\"1\"");
    assert_fingerprints(&a, &b, true);
    arena_destroy(&arena);
}

static void no_key_is_no_key(void **state)
{
    struct http_exchange x = {0};
    struct store_idempotency idempotency = {0};
    (void)state;
    assert_true(idempotency_read(&x, &idempotency));
    assert_null(idempotency.key.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_fields),
        cmocka_unit_test(lengths),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(no_key_is_no_key),
    };
    return cmocka_run_group_tests_name("idempotency", tests, NULL, NULL);
}
