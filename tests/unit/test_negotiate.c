#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/negotiate.h"

static void gzip_as_accept_encoding_says(void **state)
{
    static const struct {
        const char *field; /* NULL: absent */
        bool accepts;
    } cases[] = {
        {NULL, true},
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"gzip;q=0.001", true},
        {"*", true},
        {"identity, *", true},
        {"", false},
        {"identity", false},
        {"br", false},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"*, gzip;q=0", false},
        {"gzip;q=0, *", false},
        {"*;q=0", false},
        {"gzip;q=2", false},
        {"gzipped", false},
        {",,gzip", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = {0};
        if (cases[i].field) {
            request.fields[HTTP_FIELD_ACCEPT_ENCODING].value = slice_of(cases[i].field);
            request.fields[HTTP_FIELD_ACCEPT_ENCODING].count = 1;
        }
        assert_int_equal(negotiate_accepts_gzip(&request), cases[i].accepts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_as_accept_encoding_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
