// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "api/list_cache.h"

#define SLOTS 64
#define MOST  ((size_t)256 * 1024)

static const struct list_cache_page small = {
    .fields = {"ETag: \"l-7\"\r\n", 13},
    .body = {"{\"items\":[]}", 12},
};

static int set_up(void **state)
{
    struct list_cache *cache = list_cache_create(SLOTS, MOST);
    *state = cache;
    return cache ? 0 : -1;
}

static int tear_down(void **state)
{
    struct list_cache *cache = *state;
    list_cache_destroy(&cache);
    assert_null(cache);
    list_cache_destroy(&cache);
    return 0;
}

static struct list_cache_key key_of(unsigned user, const char *query, int64_t revision)
{
    struct list_cache_key key = {.query = slice_of(query), .revision = revision};
    key.user.bytes[15] = (uint8_t)user;
    key.user.bytes[14] = (uint8_t)(user >> 8);
    return key;
}

static bool has(const struct list_cache *cache, struct list_cache_key key)
{
    struct list_cache_page page;
    return list_cache_find(cache, &key, &page);
}

static void put(struct list_cache *cache, struct list_cache_key key)
{
    list_cache_put(cache, &key, &small);
}

/* A body of one letter; the caller frees it. */
static struct slice body_of(size_t len, char letter)
{
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, letter, len);
    return (struct slice){text, len};
}

static void put_body(struct list_cache *cache, struct list_cache_key key, size_t len, char letter)
{
    struct slice body = body_of(len, letter);
    list_cache_put(cache, &key, &(struct list_cache_page){.fields = small.fields, .body = body});
    free((void *)(uintptr_t)body.ptr);
}

static void test_gives_back_the_bytes(void **state)
{
    struct list_cache *cache = *state;
    struct list_cache_key key = key_of(1, "limit=20", 7);
    struct list_cache_page page = {0};
    assert_false(has(cache, key));
    put(cache, key);
    assert_true(list_cache_find(cache, &key, &page));
    assert_true(slice_eq(page.fields, small.fields));
    assert_true(slice_eq(page.body, small.body));
}

static void test_keeps_a_copy(void **state)
{
    struct list_cache *cache = *state;
    char query[] = "limit=20";
    struct list_cache_key key = key_of(1, query, 7);
    put_body(cache, key, 100, 'a'); /* its body is freed by now */
    query[0] = 'x';
    assert_false(has(cache, key));
    key.query = SLICE("limit=20");
    struct list_cache_page page = {0};
    assert_true(list_cache_find(cache, &key, &page));
    assert_int_equal(page.body.len, 100);
    assert_int_equal(page.body.ptr[99], 'a');
}

static void test_a_request_without_a_query(void **state)
{
    struct list_cache *cache = *state;
    put(cache, key_of(1, NULL, 7));
    assert_true(has(cache, key_of(1, NULL, 7)));
    assert_false(has(cache, key_of(1, "limit=20", 7)));
}

/* With one slot every key meets every other. */
static void test_only_the_exact_key(void **state)
{
    (void)state;
    struct list_cache *cache = list_cache_create(1, MOST);
    assert_non_null(cache);
    put(cache, key_of(1, "limit=20", 7));
    assert_true(has(cache, key_of(1, "limit=20", 7)));
    assert_false(has(cache, key_of(2, "limit=20", 7)));
    assert_false(has(cache, key_of(257, "limit=20", 7)));
    assert_false(has(cache, key_of(1, "limit=2", 7)));
    assert_false(has(cache, key_of(1, "limit=200", 7)));
    assert_false(has(cache, key_of(1, "Limit=20", 7)));
    assert_false(has(cache, key_of(1, NULL, 7)));
    assert_false(has(cache, key_of(1, "limit=20", 6)));
    assert_false(has(cache, key_of(1, "limit=20", 8)));
    list_cache_destroy(&cache);
}

static void test_the_later_of_two_in_one_slot_stays(void **state)
{
    (void)state;
    struct list_cache *cache = list_cache_create(1, MOST);
    assert_non_null(cache);
    put(cache, key_of(1, "limit=20", 7));
    put(cache, key_of(2, "limit=20", 7));
    assert_false(has(cache, key_of(1, "limit=20", 7)));
    assert_true(has(cache, key_of(2, "limit=20", 7)));
    list_cache_destroy(&cache);
}

static void test_a_newer_page_takes_the_place(void **state)
{
    struct list_cache *cache = *state;
    struct list_cache_page page = {0};
    static const size_t lengths[] = {100, 5000, 30000, 200, 2000, 2000};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct list_cache_key key = key_of(1, "limit=20", i + 1);
        put_body(cache, key, lengths[i], (char)('a' + i));
        assert_true(list_cache_find(cache, &key, &page));
        assert_int_equal(page.body.len, lengths[i]);
        assert_int_equal(page.body.ptr[0], 'a' + i);
        assert_int_equal(page.body.ptr[lengths[i] - 1], 'a' + i);
        assert_false(has(cache, key_of(1, "limit=20", i)));
    }
}

static void test_a_large_page_is_not_kept(void **state)
{
    struct list_cache *cache = *state;
    const size_t rest = small.fields.len + sizeof "limit=100" - 1;
    put_body(cache, key_of(1, "limit=100", 1), LIST_CACHE_PAGE_MOST - rest, 'a');
    assert_true(has(cache, key_of(1, "limit=100", 1)));
    put_body(cache, key_of(1, "limit=100", 2), LIST_CACHE_PAGE_MOST - rest + 1, 'b');
    assert_false(has(cache, key_of(1, "limit=100", 2)));
}

/* 256 KiB hold eight pages of some 31 KiB; the newest is always there. */
static void test_the_ceiling(void **state)
{
    struct list_cache *cache = *state;
    unsigned there = 0;
    for (unsigned user = 0; user < 200; user++) {
        put_body(cache, key_of(user, "limit=100", 1), 31000, 'a');
        assert_true(has(cache, key_of(user, "limit=100", 1)));
    }
    for (unsigned user = 0; user < 200; user++) {
        there += has(cache, key_of(user, "limit=100", 1));
    }
    assert_in_range(there, 1, MOST / 31000);
}

static void test_a_ceiling_below_one_page(void **state)
{
    (void)state;
    struct list_cache *cache = list_cache_create(SLOTS, 2000);
    assert_non_null(cache);
    put_body(cache, key_of(1, NULL, 1), 4000, 'a');
    assert_false(has(cache, key_of(1, NULL, 1)));
    put_body(cache, key_of(1, NULL, 1), 500, 'a');
    assert_true(has(cache, key_of(1, NULL, 1)));
    list_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gives_back_the_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_request_without_a_query, set_up, tear_down),
        cmocka_unit_test(test_only_the_exact_key),
        cmocka_unit_test(test_the_later_of_two_in_one_slot_stays),
        cmocka_unit_test_setup_teardown(test_a_newer_page_takes_the_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_large_page_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_ceiling, set_up, tear_down),
        cmocka_unit_test(test_a_ceiling_below_one_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
