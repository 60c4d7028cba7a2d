// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/postgres/translate.h"

#define AGAIN   1
#define DISCARD 2

static void test_what_a_code_means(void **state)
{
    static const struct {
        const char *code;
        enum error error;
        unsigned flags;
    } rows[] = {
        {"40001", ERROR_OVERLOADED, AGAIN},     /* serialization failure */
        {"40P01", ERROR_OVERLOADED, AGAIN},     /* deadlock */
        {"55P03", ERROR_OVERLOADED, AGAIN},     /* lock not available */
        {"23505", ERROR_INTERNAL_ERROR, AGAIN}, /* unique violation */
        {"57014", ERROR_OVERLOADED, 0},         /* statement timeout */
        {"53200", ERROR_OVERLOADED, 0},         /* out of memory */
        {"53100", ERROR_STORAGE_FULL, 0},       /* disk full */
        {"57P01", ERROR_UNAVAILABLE, DISCARD},  /* the administrator ends it */
        {"57P02", ERROR_UNAVAILABLE, DISCARD},  /* another process crashed */
        {"57P03", ERROR_UNAVAILABLE, DISCARD},  /* starting */
        {"57P05", ERROR_UNAVAILABLE, DISCARD},  /* idle for too long */
        {"08000", ERROR_UNAVAILABLE, DISCARD},  /* of the connection */
        {"08003", ERROR_UNAVAILABLE, DISCARD},
        {"08006", ERROR_UNAVAILABLE, DISCARD},
        {"08P01", ERROR_UNAVAILABLE, DISCARD}, /* a pooler's way of saying no */
        {"25006", ERROR_UNAVAILABLE, DISCARD}, /* read only */
        {"25P03", ERROR_UNAVAILABLE, DISCARD}, /* idle in a transaction */
        {"53300", ERROR_UNAVAILABLE, DISCARD}, /* too many connections */
        {"26000", ERROR_UNAVAILABLE, AGAIN | DISCARD},
        {"0A000", ERROR_UNAVAILABLE, AGAIN | DISCARD},
        {NULL, ERROR_UNAVAILABLE, DISCARD}, /* libpq's own */
        {"23503", ERROR_INTERNAL_ERROR, 0}, /* foreign key */
        {"23514", ERROR_INTERNAL_ERROR, 0}, /* check */
        {"42P01", ERROR_INTERNAL_ERROR, 0}, /* no such table */
        {"42501", ERROR_INTERNAL_ERROR, 0}, /* no permission */
        {"22021", ERROR_INTERNAL_ERROR, 0}, /* not in the encoding */
        {"25P02", ERROR_INTERNAL_ERROR, 0}, /* the transaction failed before */
        {"XX000", ERROR_INTERNAL_ERROR, 0},
        {"00000", ERROR_INTERNAL_ERROR, 0},
        {"", ERROR_INTERNAL_ERROR, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct translation found = translate(rows[i].code);
        print_message("%s\n", rows[i].code ? rows[i].code : "NULL");
        assert_int_equal(found.error, rows[i].error);
        assert_int_equal(found.again, (rows[i].flags & AGAIN) != 0);
        assert_int_equal(found.discard, (rows[i].flags & DISCARD) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_code_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
