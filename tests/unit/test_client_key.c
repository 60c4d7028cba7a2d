// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/client_key.h"

static void one_client_has_one_key(void **state)
{
    static const struct {
        const char *address;
        const char *key;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"}, /* the http room writes it the other way */
        {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::1", "2001:db8:1:3::/64"},
        {"::1", "::/64"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64"},
        {"local", "local"},
        {"", ""},
    };
    char text[CLIENT_KEY_TEXT_MOST];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct slice key = client_key_text(slice_of(rows[i].address), text);
        assert_int_equal(key.len, strlen(rows[i].key));
        assert_memory_equal(key.ptr, rows[i].key, key.len);
    }
}

static void what_is_no_address_is_cut(void **state)
{
    char longer[2 * CLIENT_KEY_TEXT_MOST];
    char text[CLIENT_KEY_TEXT_MOST];

    (void)state;
    memset(longer, 'x', sizeof longer);
    assert_int_equal(client_key_text((struct slice){longer, sizeof longer}, text).len,
                     CLIENT_KEY_TEXT_MOST - 1);
}

/* Connections are counted by the bytes, quotas and known addresses by the text. */
static void bytes_and_text_agree(void **state)
{
    static const char *const same[] = {"2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6"};
    uint8_t keys[2][CLIENT_KEY_LEN];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct in6_addr address;
        assert_int_equal(inet_pton(AF_INET6, same[i], &address), 1);
        client_key(&address, keys[i]);
    }
    assert_memory_equal(keys[0], keys[1], CLIENT_KEY_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_has_one_key),
        cmocka_unit_test(what_is_no_address_is_cut),
        cmocka_unit_test(bytes_and_text_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
