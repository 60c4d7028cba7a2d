// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/base64url.h"

/* RFC 4648 section 10, without padding, and one with both characters of its own. */
static const struct {
    struct slice bytes;
    const char *text;
} vectors[] = {
    {SLICE(""), ""},
    {SLICE("f"), "Zg"},
    {SLICE("fo"), "Zm8"},
    {SLICE("foo"), "Zm9v"},
    {SLICE("foob"), "Zm9vYg"},
    {SLICE("fooba"), "Zm9vYmE"},
    {SLICE("foobar"), "Zm9vYmFy"},
    {SLICE("\xfb\xff\xbf"), "-_-_"},
};

static void the_vectors_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buffer out;
        uint8_t bytes[16];
        size_t len = 99;
        buffer_init(&out, 64);
        base64url_add(&out, vectors[i].bytes);
        assert_true(slice_eq(buffer_slice(&out), slice_of(vectors[i].text)));
        assert_int_equal(BASE64URL_LEN(vectors[i].bytes.len), out.len);
        assert_true(base64url_decode(slice_of(vectors[i].text), bytes, sizeof bytes, &len));
        assert_int_equal(len, vectors[i].bytes.len);
        assert_memory_equal(bytes, vectors[i].bytes.ptr, len);
        buffer_finish(&out);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "=",   "Zg=",  "Zg==", "Zm8=", "Zm9v=", "Zm9v====", "Z",    "Zm9vY",        "Zh",
        "Zm9", "Zg\n", " Zg",  "Z g",  "Zm+v",  "Zm/v",     "Zm.v", "Zm9v\xc3\xa9", "Zm9\xff",
    };
    uint8_t bytes[16];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (base64url_decode(slice_of(texts[i]), bytes, sizeof bytes, &len)) {
            fail_msg("not refused: %s", texts[i]);
        }
    }
    assert_false(base64url_decode(SLICE("Zm\0v"), bytes, sizeof bytes, &len));
}

/* Of all four-character texts that differ in one place, only those of the alphabet are read, and
 * each as something else. */
static void every_text_has_its_own_meaning(void **state)
{
    (void)state;
    for (size_t place = 0; place < 4; place++) {
        bool seen[64] = {false};
        int read = 0;
        for (int c = 0; c < 256; c++) {
            char text[4] = {'A', 'A', 'A', 'A'};
            uint8_t bytes[3];
            size_t len = 0;
            text[place] = (char)c;
            if (base64url_decode((struct slice){text, 4}, bytes, sizeof bytes, &len)) {
                const unsigned value =
                    (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
                const size_t digit = value >> (18 - 6 * place);
                assert_true(digit < 64 && !seen[digit]);
                seen[digit] = true;
                read++;
            }
        }
        assert_int_equal(read, 64);
    }
}

static void what_has_no_room_is_refused(void **state)
{
    uint8_t bytes[6];
    size_t len = 0;
    struct buffer out;

    (void)state;
    assert_true(base64url_decode(SLICE("Zm9vYmFy"), bytes, 6, &len));
    assert_false(base64url_decode(SLICE("Zm9vYmFy"), bytes, 5, &len));
    buffer_init(&out, 4);
    base64url_add(&out, SLICE("foobar"));
    assert_true(out.failed);
    buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_go_both_ways),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(every_text_has_its_own_meaning),
        cmocka_unit_test(what_has_no_room_is_refused),
    };

    return cmocka_run_group_tests_name("base64url", tests, NULL, NULL);
}
