// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "http/acceptor.h"

static struct in6_addr parse(const char *text)
{
    struct in6_addr address;
    assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
    return address;
}

static struct in6_addr number(unsigned n)
{
    struct in6_addr address = parse("::ffff:10.0.0.0");
    address.s6_addr[13] = (uint8_t)(n >> 16);
    address.s6_addr[14] = (uint8_t)(n >> 8);
    address.s6_addr[15] = (uint8_t)n;
    return address;
}

static void test_a_share_for_each(void **state)
{
    (void)state;
    struct addresses *addresses = addresses_create(2, 10);
    struct in6_addr a = parse("::ffff:192.0.2.1");
    struct in6_addr b = parse("::ffff:192.0.2.2");
    assert_non_null(addresses);
    assert_true(addresses_enter(addresses, &a));
    assert_true(addresses_enter(addresses, &a));
    assert_false(addresses_enter(addresses, &a));
    assert_true(addresses_enter(addresses, &b));
    addresses_leave(addresses, &a);
    assert_true(addresses_enter(addresses, &a));
    assert_false(addresses_enter(addresses, &a));
    addresses_destroy(&addresses);
    assert_null(addresses);
}

static void test_a_network_is_one_client(void **state)
{
    (void)state;
    struct addresses *addresses = addresses_create(1, 10);
    struct in6_addr a = parse("2001:db8:0:1::1");
    struct in6_addr same = parse("2001:db8:0:1:ffff::2");
    struct in6_addr other = parse("2001:db8:0:2::1");
    assert_non_null(addresses);
    assert_true(addresses_enter(addresses, &a));
    assert_false(addresses_enter(addresses, &same));
    assert_true(addresses_enter(addresses, &other));
    addresses_destroy(&addresses);
}

/* Against plain counters, with many that come and go in a small table. */
static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 64, MOST = 3 };
    unsigned counts[COUNT] = {0};
    uint32_t seed = 7;
    struct addresses *addresses = addresses_create(MOST, 32);
    assert_non_null(addresses);
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned which = (seed >> 10) % COUNT;
        struct in6_addr address = number(which * 7919);
        if ((seed >> 20) % 2 == 0) {
            bool entered = addresses_enter(addresses, &address);
            if (counts[which] > 0) {
                assert_int_equal(entered, counts[which] < MOST);
            }
            counts[which] += entered ? 1 : 0;
        } else if (counts[which] > 0) {
            addresses_leave(addresses, &address);
            counts[which]--;
        }
    }
    addresses_destroy(&addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_share_for_each),
        cmocka_unit_test(test_a_network_is_one_client),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
