// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "http/proxies.h"

/* The address as text; NULL when it is none. */
static const char *show(bool good, const struct in6_addr *address)
{
    static char text[INET6_ADDRSTRLEN];
    return good ? inet_ntop(AF_INET6, address, text, sizeof text) : NULL;
}

static void assert_shown(const char *text, const char *found, const char *expected)
{
    if ((found == NULL) != (expected == NULL) || (found && strcmp(found, expected) != 0)) {
        fail_msg("%s: %s in place of %s", text, found ? found : "-", expected ? expected : "-");
    }
}

static void reads_nodes(void **state)
{
    static const struct {
        const char *text;
        const char *address; /* NULL: none */
    } cases[] = {
        {"192.0.2.1", "::ffff:192.0.2.1"},
        {"192.0.2.1:8080", "::ffff:192.0.2.1"},
        {"192.0.2.1:_a", "::ffff:192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"::1", "::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1"},
        {"", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:x", NULL},
        {"192.0.2.1:65536", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1 ", NULL},
        {"[192.0.2.1]", NULL},
        {"[192.0.2.1]:1", NULL},
        {"[2001:db8::1", NULL},
        {"[2001:db8::1]443", NULL},
        {"[2001:db8::1]:", NULL},
        {"[]", NULL},
        {"[", NULL},
        {":80", NULL},
        {"2001:db8::1]:443", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"localhost:80", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct in6_addr address;
        const bool good = forwarded_parse_node(slice_of(cases[i].text), &address);
        assert_shown(cases[i].text, show(good, &address), cases[i].address);
    }
}

typedef enum forwarded_step last_fn(struct slice *rest, struct in6_addr *address);

/* Takes hop after hop off and compares: NULL is one that cannot be read. */
static void assert_hops(last_fn *last, const char *text, const char *const hops[4], size_t count)
{
    struct slice rest = slice_of(text);
    struct in6_addr address;

    for (size_t i = 0; i < count; i++) {
        const enum forwarded_step step = last(&rest, &address);
        assert_int_not_equal(step, FORWARDED_END);
        assert_shown(text, show(step == FORWARDED_HOP, &address), hops[i]);
    }
    assert_int_equal(last(&rest, &address), FORWARDED_END);
}

#define A "::ffff:192.0.2.1"
#define B "2001:db8::1"

static void reads_hops_from_the_end(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *hops[4];
    } cases[] = {
        {"", 0, {0}},
        {" , ,\t,", 0, {0}},
        {"192.0.2.1", 1, {A}},
        {"x,192.0.2.1:1, [2001:db8::1]:443", 3, {B, A, NULL}},
        {",,192.0.2.1,,", 1, {A}},
        {"\"192.0.2.1\"", 1, {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_hops(forwarded_last_hop, cases[i].text, cases[i].hops, cases[i].count);
    }
}

static void reads_elements_from_the_end(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *hops[4];
    } cases[] = {
        {"", 0, {0}},
        {" ,, ", 0, {0}},
        {"for=192.0.2.1", 1, {A}},
        {"For=\"[2001:db8::1]:4711\"", 1, {B}},
        {"for=192.0.2.1;proto=http;by=203.0.113.43", 1, {A}},
        {"proto=https; FOR=\"192.0.2.1:80\" ;host=\"a;for=b,c\"", 1, {A}},
        {"for=192.0.2.1, for=\"[2001:db8::1]\"", 2, {B, A}},
        {"for=\"\\192.0.2.1\"", 1, {A}},
        {"for=unknown, for=_SEVKISEK", 2, {NULL, NULL}},
        {"proto=https", 1, {NULL}},
        {"for=", 1, {NULL}},
        {"for", 1, {NULL}},
        {"for=\"\"", 1, {NULL}},
        {"for=\"192.0.2.1", 1, {NULL}},
        {"for=\"192.0.2.1\\\"", 1, {NULL}},
        {"for=\"192.0.2.1\"x\"", 1, {NULL}},
        {"for=\"1234567890123456789012345678901234567890123456789012345678901234567890"
         "1234567890123456789012345678901234567890123456789012345678901234567890\"",
         1,
         {NULL}},
        {"for=192.0.2.1;for=192.0.2.1", 1, {NULL}},
        {"for=192.0.2.1\"", 1, {NULL}},
        /* What a stranger left open swallows nothing that a proxy wrote after it. */
        {"for=\"x, for=192.0.2.1", 2, {A, NULL}},
        {"for=\"\\\", for=192.0.2.1;by=\"a\\\"\"", 2, {A, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_hops(forwarded_last_element, cases[i].text, cases[i].hops, cases[i].count);
    }
}

static void trusts_networks(void **state)
{
    static const struct {
        const char *networks;
        const char *address;
        bool trusted;
    } cases[] = {
        {"172.16.0.0/12", "172.16.0.1", true},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"172.16.0.0/12", "172.15.255.255", false},
        {"172.16.0.0/12", "173.16.0.1", false},
        {"192.0.2.129/25", "192.0.2.128", true},
        {"192.0.2.129/25", "192.0.2.127", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"192.0.2.1/32", "192.0.2.0", false},
        {"10.0.0.0/31", "10.0.0.1", true},
        {"10.0.0.0/31", "10.0.0.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"0.0.0.0/1", "127.255.255.255", true},
        {"0.0.0.0/1", "128.0.0.0", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"fe80::/10", "febf::1", true},
        {"fe80::/10", "fec0::1", false},
        {"::/0", "2001:db8::1", true},
        {"10.0.0.0/8, 192.168.0.0/20", "192.168.15.1", true},
        {"10.0.0.0/8, 192.168.0.0/20", "192.168.16.1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        struct in6_addr address;
        struct proxies *proxies = proxies_create(cases[i].networks, NULL, &why);
        assert_non_null(proxies);
        assert_true(forwarded_parse_node(slice_of(cases[i].address), &address));
        if (proxies_trust(proxies, &address) != cases[i].trusted) {
            fail_msg("%s: %s", cases[i].networks, cases[i].address);
        }
        proxies_destroy(&proxies);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_networks),
        cmocka_unit_test(reads_nodes),
        cmocka_unit_test(reads_hops_from_the_end),
        cmocka_unit_test(reads_elements_from_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
