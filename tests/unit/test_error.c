// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"

/* Codes are part of paths (/problems/CODE) and of what clients compare with. */
static void every_row_is_whole(void **state)
{
    (void)state;
    for (unsigned i = 1; i < ERROR_COUNT; i++) {
        const struct error_row *row = error_row((enum error)i);
        assert_in_range(row->status, 400, 599);
        assert_true(strlen(row->code) > 0 && strlen(row->title) > 0);
        assert_int_equal(strspn(row->code, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->code));
        assert_int_equal(row->meaning[strlen(row->meaning) - 1], '.');
        assert_int_equal(row->advice[strlen(row->advice) - 1], '.');
        assert_ptr_equal(strstr(row->detail, row->meaning), row->detail);
        assert_string_equal(row->detail + strlen(row->meaning) + 1, row->advice);
        for (unsigned other = 1; other < i; other++) {
            assert_string_not_equal(row->code, error_row((enum error)other)->code);
        }
    }
}

static void rows_are_found_by_constant(void **state)
{
    (void)state;
    assert_string_equal(error_row(ERROR_MALFORMED_REQUEST)->code, "malformed_request");
    assert_string_equal(error_row(ERROR_STORAGE_FULL)->code, "storage_full");
    assert_int_equal(error_row(ERROR_RATE_LIMITED)->status, 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(rows_are_found_by_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
