// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(WITH_ASAN)
#include <sanitizer/asan_interface.h>
#define IS_POISONED(ptr) __asan_address_is_poisoned(ptr)
#else
/* Without ASan nothing is poisoned, and nothing is claimed. */
#define IS_POISONED(ptr) ((ptr) != NULL)
#endif

static void hands_out_zeroed_and_aligned_memory(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    char *last = NULL;

    (void)state;
    assert_non_null(arena);
    for (size_t size = 0; size < 600; size++) {
        char *bytes = arena_alloc(arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(bytes, last);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(bytes[i], 0);
        }
        memset(bytes, 0xff, size);
        last = bytes;
    }
    arena_destroy(&arena);
    assert_null(arena);
    arena_destroy(&arena);
}

static void zeroes_again_after_a_reset(void **state)
{
    struct arena *arena = arena_create(10000);
    unsigned char *bytes = arena_alloc(arena, 100);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 0xff, 100);
    arena_reset(arena);
    assert_true(IS_POISONED(bytes));
    bytes = arena_alloc(arena, 100);
    assert_non_null(bytes);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(bytes[i], 0);
    }
    arena_destroy(&arena);
}

static void keeps_its_ceiling(void **state)
{
    struct arena *arena = arena_create(8192);

    (void)state;
    assert_null(arena_alloc(arena, 8193));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 8));
    assert_non_null(arena_alloc(arena, 4096));
    assert_non_null(arena_alloc(arena, 4080));
    assert_non_null(arena_alloc(arena, 1));
    assert_null(arena_alloc(arena, 1));
    assert_null(arena_alloc(arena, 0));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 8192));
    assert_null(arena_alloc(arena, 1));
    arena_destroy(&arena);
}

static void serves_more_than_one_block(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    char *pieces[100];

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 100; i++) {
            pieces[i] = arena_alloc(arena, 3000);
            assert_non_null(pieces[i]);
            memset(pieces[i], (int)i, 3000);
        }
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(pieces[i][0], i);
            assert_int_equal(pieces[i][2999], i);
        }
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

static void copies_texts(void **state)
{
    struct arena *arena = arena_create(64);
    struct slice copy = arena_copy(arena, SLICE("abc"));

    (void)state;
    assert_true(slice_eq(copy, SLICE("abc")));
    assert_int_equal(copy.ptr[3], '\0');
    copy = arena_copy(arena, (struct slice){0});
    assert_non_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    copy = arena_copy(arena, SLICE("0123456789012345678901234567890123456789012345678901234567"));
    assert_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_and_aligned_memory),
        cmocka_unit_test(zeroes_again_after_a_reset),
        cmocka_unit_test(keeps_its_ceiling),
        cmocka_unit_test(serves_more_than_one_block),
        cmocka_unit_test(copies_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
