// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/items.h"
#include "base/json_reader.h"
#include "model/task.h"

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
    assert_non_null(arena);
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
    assert_non_null(arena);
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

static struct store_item_write sample(void)
{
    return (struct store_item_write){.resource = &task_resource,
                                     .verb = STORE_UPDATE,
                                     .id = {{1, 2}},
                                     .idempotency = {.key = SLICE("k")}};
}

static const uint8_t content[JSON_READER_DIGEST] = {7};

static void assert_same(struct store_item_write a, struct store_item_write b, bool same)
{
    idempotency_bind(&a, content);
    idempotency_bind(&b, content);
    assert_int_equal(memcmp(a.idempotency.fingerprint, b.idempotency.fingerprint,
                            sizeof a.idempotency.fingerprint) == 0,
                     same);
}

/* Everything that could make it another request counts, and nothing else. */
static void fingerprints(void **state)
{
    (void)state;
    struct store_item_write other = sample();
    other.idempotency.key = SLICE("another");
    other.space = (struct uuid){{9}};
    other.now = 5;
    other.precondition.match.present = other.precondition.none_match.any = true;
    assert_same(sample(), other, true);
    other = sample();
    other.verb = STORE_REPLACE;
    assert_same(sample(), other, false);
    other = sample();
    other.id = (struct uuid){{1, 3}};
    assert_same(sample(), other, false);
    struct resource another = task_resource;
    another.kind++;
    other = sample();
    other.resource = &another;
    assert_same(sample(), other, false);

    struct store_item_write a = sample();
    struct store_item_write b = sample();
    a.verb = b.verb = STORE_CREATE;
    b.id = (struct uuid){{1, 3}};
    assert_same(a, b, true); /* each create has an id of its own */

    const uint8_t more[JSON_READER_DIGEST] = {8};
    a = sample();
    b = sample();
    idempotency_bind(&a, content);
    idempotency_bind(&b, more);
    assert_memory_not_equal(a.idempotency.fingerprint, b.idempotency.fingerprint, 32);
    idempotency_bind(&b, NULL);
    assert_memory_not_equal(a.idempotency.fingerprint, b.idempotency.fingerprint, 32);
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
