// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/listener.h"

#define LOOPS 3

/* `4:PORT` or `6:PORT`. */
static void name(int fd, char text[static 16])
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &address, sizeof v6);
        snprintf(text, 16, "6:%u", (unsigned)ntohs(v6.sin6_port));
    } else {
        struct sockaddr_in v4;
        memcpy(&v4, &address, sizeof v4);
        snprintf(text, 16, "4:%u", (unsigned)ntohs(v4.sin_port));
    }
}

static bool has_v6(void)
{
    struct listener listener;
    uint16_t port = 0;
    const char *why = NULL;
    const bool has = listener_bind("::1", &port, &listener, 1, &why);
    if (has) {
        listener_close(&listener);
    }
    return has;
}

static void binds_every_address_of_a_name(void **state)
{
    struct listener listeners[LOOPS];
    uint16_t port = 0;
    const char *why = NULL;
    char expected[16];
    char found[16];

    (void)state;
    assert_true(listener_bind("LocalHost", &port, listeners, LOOPS, &why));
    assert_true(port > 0);
    for (size_t i = 0; i < LOOPS; i++) {
        assert_int_equal(listeners[i].count, has_v6() ? 2 : 1);
        for (unsigned a = 0; a < listeners[i].count; a++) {
            snprintf(expected, sizeof expected, "%d:%u", a == 0 ? 4 : 6, (unsigned)port);
            name(listeners[i].fds[a], found);
            assert_string_equal(found, expected);
        }
        listener_close(&listeners[i]);
        assert_int_equal(listeners[i].count, 0);
    }
}

static void refuses_a_port_that_one_address_lacks(void **state)
{
    struct listener taken;
    struct listener both[LOOPS];
    uint16_t port = 0;
    const char *why = NULL;

    (void)state;
    assert_true(listener_bind(has_v6() ? "::1" : "127.0.0.1", &port, &taken, 1, &why));
    assert_int_equal(listen(taken.fds[0], 1), 0);
    assert_false(listener_bind("localhost", &port, both, LOOPS, &why));
    assert_non_null(strstr(why, "PORT"));
    listener_close(&taken);
    assert_true(listener_bind("localhost", &port, both, LOOPS, &why));
    for (size_t i = 0; i < LOOPS; i++) {
        listener_close(&both[i]);
    }
}

static void refuses_what_is_no_address_of_here(void **state)
{
    static const char *const hosts[] = {"192.0.2.1", "no such host", "2001:db8::1"};
    struct listener listener;

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        uint16_t port = 0;
        const char *why = NULL;
        if (listener_bind(hosts[i], &port, &listener, 1, &why)) {
            fail_msg("%s", hosts[i]);
        }
        assert_non_null(strstr(why, "HOST"));
    }
}

/* ---- inherited, as systemd passes it ---- */

/* The test holds 3 for itself while it runs. */
struct passed {
    int type;
    bool listens;
    const char *count; /* LISTEN_FDS */
    const char *wrong; /* in `why`; NULL: it is taken */
};

static void inherit(const struct passed *passed)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct listener listeners[LOOPS];
    socklen_t len = sizeof address;
    uint16_t port = 0;
    const char *why = "";
    char pid[16];

    const int fd = socket(AF_INET, passed->type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_true(!passed->listens || listen(fd, 4) == 0);
    assert_int_equal(dup2(fd, 3), 3);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_int_equal(setenv("LISTEN_PID", "1", 1), 0);
    assert_int_equal(setenv("LISTEN_FDS", passed->count, 1), 0);
    assert_false(listener_is_inherited()); /* somebody else's */
    assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
    assert_true(listener_is_inherited());
    if (passed->wrong) {
        assert_false(listener_inherit(&port, listeners, LOOPS, &why));
        assert_non_null(strstr(why, passed->wrong));
        return;
    }
    assert_true(listener_inherit(&port, listeners, LOOPS, &why));
    assert_int_equal(port, ntohs(address.sin_port));
    assert_int_equal(fcntl(3, F_GETFD), -1);
    for (size_t i = 0; i < LOOPS; i++) {
        assert_int_equal(listeners[i].count, 1);
        assert_true(fcntl(listeners[i].fds[0], F_GETFL) & O_NONBLOCK);
        listener_close(&listeners[i]);
    }
}

static void takes_one_socket_that_listens(void **state)
{
    static const struct passed cases[] = {
        {SOCK_STREAM, true, "1", NULL},
        {SOCK_STREAM, true, "2", "one ListenStream"},
        {SOCK_STREAM, false, "1", "must be a TCP one that listens"},
        {SOCK_DGRAM, false, "1", "must be a TCP one that listens"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        inherit(&cases[i]);
    }
    assert_int_equal(unsetenv("LISTEN_FDS"), 0);
    assert_false(listener_is_inherited());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_every_address_of_a_name),
        cmocka_unit_test(refuses_a_port_that_one_address_lacks),
        cmocka_unit_test(refuses_what_is_no_address_of_here),
        cmocka_unit_test(takes_one_socket_that_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
