// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"

static void assert_holds(const struct buffer *b, const char *text)
{
    assert_false(b->failed);
    assert_true(slice_eq(buffer_slice(b), slice_of(text)));
}

static void appends(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 1000);
    buffer_add(&b, (struct slice){0});
    buffer_add(&b, SLICE("a\0b"));
    assert_int_equal(b.len, 3);
    buffer_clear(&b);
    buffer_add_text(&b, "x=");
    buffer_add_u64(&b, 0);
    buffer_add_char(&b, ' ');
    buffer_add_u64(&b, UINT64_MAX);
    buffer_add_char(&b, ' ');
    buffer_add_i64(&b, INT64_MIN);
    buffer_add_char(&b, ' ');
    buffer_add_i64(&b, -1);
    buffer_add_format(&b, " %s:%d", "y", 7);
    assert_holds(&b, "x=0 18446744073709551615 -9223372036854775808 -1 y:7");
    buffer_finish(&b);
}

static void grows_up_to_its_ceiling(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 10000);
    for (size_t i = 0; i < 10000; i++) {
        buffer_add_char(&b, (char)('a' + i % 26));
    }
    assert_false(b.failed);
    assert_int_equal(b.len, 10000);
    assert_int_equal(b.data[9999], 'a' + 9999 % 26);
    buffer_add_char(&b, 'x');
    assert_true(b.failed);
    assert_int_equal(b.len, 10000);
    buffer_finish(&b);
}

/* An append that would fit must fail too once one failed, or the result would have a hole. */
static void failure_is_sticky(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 4);
    buffer_add_text(&b, "12345");
    assert_true(b.failed);
    buffer_add_char(&b, 'a');
    buffer_add_format(&b, "%d", 1);
    assert_null(buffer_reserve(&b, 1));
    assert_int_equal(b.len, 0);
    buffer_clear(&b);
    buffer_add_text(&b, "1234");
    assert_holds(&b, "1234");
    buffer_finish(&b);
}

static void refuses_sizes_that_wrap_around(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, SIZE_MAX);
    buffer_add_char(&b, 'a');
    assert_null(buffer_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buffer_finish(&b);
    buffer_init(&b, 0);
    assert_non_null(buffer_reserve(&b, 0));
    buffer_add_char(&b, 'a');
    assert_true(b.failed);
    buffer_finish(&b);
}

static void formats_up_to_the_last_byte(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 600);
    buffer_add_format(&b, "%0600d", 7);
    assert_false(b.failed);
    assert_int_equal(b.len, 600);
    assert_int_equal(b.data[599], '7');
    buffer_add_format(&b, "%s", "");
    assert_false(b.failed);
    buffer_add_format(&b, "%d", 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 600);
    buffer_finish(&b);
}

static void consumes_from_the_front(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 100);
    buffer_consume(&b, 0);
    buffer_add_text(&b, "hello world");
    buffer_consume(&b, 0);
    assert_holds(&b, "hello world");
    buffer_consume(&b, 6);
    assert_holds(&b, "world");
    buffer_consume(&b, 5);
    assert_int_equal(b.len, 0);
    buffer_add_text(&b, "again");
    buffer_consume(&b, b.len);
    assert_int_equal(b.len, 0);
    buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(grows_up_to_its_ceiling),
        cmocka_unit_test(failure_is_sticky),
        cmocka_unit_test(refuses_sizes_that_wrap_around),
        cmocka_unit_test(formats_up_to_the_last_byte),
        cmocka_unit_test(consumes_from_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
