// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fields.h"

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define ZEROES "00000000000000000000000000000000"
#define PARENT "b7ad6b7169203331"

static struct slice find(const char *value, unsigned count)
{
    static struct http_request request;
    request = (struct http_request){0};
    request.fields[HTTP_FIELD_TRACEPARENT] =
        (struct http_field_value){.value = slice_of(value), .count = count};
    return http_trace_id(&request);
}

static void takes_what_is_good(void **state)
{
    static const char *const good[] = {
        "00-" ID "-" PARENT "-01",
        "00-" ID "-" PARENT "-00",
        "00-" ID "-" PARENT "-ff",
        "01-" ID "-" PARENT "-01",
        "cc-" ID "-" PARENT "-01-what-comes-later",
        "fe-" ID "-" PARENT "-01-",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(slice_eq(find(good[i], 1), SLICE(ID)));
    }
}

static void leaves_what_is_not(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-" ID "-" PARENT "-0",
        "00-" ID "-" PARENT "-011",
        "00-" ID "-" PARENT "-01-",
        "00-" ID "-" PARENT "-01-more",
        "01-" ID "-" PARENT "-01more",
        "ff-" ID "-" PARENT "-01",
        "0g-" ID "-" PARENT "-01",
        "00-" ZEROES "-" PARENT "-01",
        "00-" ID "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" ID "-B7AD6B7169203331-01",
        "00-" ID "-" PARENT "-0G",
        "00_" ID "-" PARENT "-01",
        "00-" ID "_" PARENT "-01",
        "00-" ID "-" PARENT "_01",
        "00-0af7651916cd43dd8448eb211c80319\"-" PARENT "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(find(bad[i], 1).ptr);
    }
    assert_null(find(NULL, 0).ptr);
    assert_null(find("00-" ID "-" PARENT "-01", 2).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_good),
        cmocka_unit_test(leaves_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
