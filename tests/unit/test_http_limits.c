// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_rig.h"

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_time_limits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status; /* 0: closed without an answer */
    } cases[] = {
        {"", 0},
        {GET("/plain"), 0},
        {"GET /plain HT", 408},
        {GET("/plain") "GET ", 408},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na", 408},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\n", 408},
    };
    const struct http_server_options options = {
        .header_ms = 60, .request_ms = 90, .idle_ms = 120, .write_ms = 100};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = rig_connect(&rig);
        rig_send(fd, cases[i].text);
        if (strncmp(cases[i].text, GET("/plain"), strlen(GET("/plain"))) == 0) {
            rig_read(fd, &answer, false);
            assert_int_equal(answer.status, 200);
        }
        if (cases[i].status) {
            rig_read(fd, &answer, false);
            assert_int_equal(answer.status, cases[i].status);
            assert_true(answer.closes);
        }
        assert_true(rig_is_closed(fd));
        close(fd);
    }
    rig_stop(&rig);
}

static void test_a_new_connection_has_something_to_ask(void **state)
{
    (void)state;
    const struct http_server_options options = {.header_ms = 60, .idle_ms = 60000};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    int asked = rig_connect(&rig);
    int silent = rig_connect(&rig);
    rig_send(asked, GET("/plain"));
    rig_read(asked, &answer, false);
    assert_true(rig_is_closed(silent));
    rig_send(asked, GET("/plain"));
    rig_read(asked, &answer, false);
    assert_int_equal(answer.status, 200);
    close(silent);
    close(asked);
    rig_stop(&rig);
}

static void test_a_client_that_takes_nothing_is_dropped(void **state)
{
    (void)state;
    const struct http_server_options options = {.write_ms = 60};
    struct rig rig;
    rig_start(&rig, &options);
    int fd = rig_connect(&rig);
    const int small = 4096;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    rig_send(fd, GET("/stream"));
    rig_wait_closed(1);
    close(fd);
    rig_stop(&rig);
}

static void test_drain(void **state)
{
    (void)state;
    const struct http_server_options options = {.drain_seconds = 10, .threads = 2};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    int idle = rig_connect(&rig);
    int busy = rig_connect(&rig);
    rig_send(idle, GET("/plain"));
    rig_read(idle, &answer, false);
    rig_send(busy, GET("/later"));
    rig_wait_parked();
    http_server_stop(rig.server);
    assert_true(rig_is_closed(idle));
    rig_release();
    rig_read(busy, &answer, false);
    assert_string_equal(answer.body, "late");
    assert_true(answer.closes);
    assert_true(rig_is_closed(busy));
    close(idle);
    close(busy);
    rig_stop(&rig);
}

static void test_a_delayed_drain_accepts_until_it_begins(void **state)
{
    (void)state;
    const struct http_server_options options = {
        .drain_delay_seconds = 1, .drain_seconds = 10, .threads = 2};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    int idle = rig_connect(&rig);
    http_server_stop(rig.server);
    int late = rig_connect(&rig);
    rig_send(late, GET("/plain"));
    rig_read(late, &answer, false);
    assert_true(answer.closes);
    rig_send(idle, GET("/plain"));
    rig_read(idle, &answer, false);
    assert_true(answer.closes);
    close(late);
    close(idle);
    int kept = rig_connect(&rig);
    assert_true(rig_is_closed(kept)); /* waits for that: the end of the delay */
    close(kept);
    rig_stop(&rig);
}

static void test_the_drain_ends_although_a_handler_does_not(void **state)
{
    (void)state;
    const struct http_server_options options = {.drain_seconds = 0};
    struct rig rig;
    rig_start(&rig, &options);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/later"));
    rig_wait_parked();
    rig_stop(&rig);
    close(fd);
}

static void test_a_second_stop_ends_at_once(void **state)
{
    (void)state;
    const struct http_server_options options = {.drain_seconds = 3600};
    struct rig rig;
    rig_start(&rig, &options);
    int fd = rig_connect(&rig);
    rig_send(fd, GET("/later"));
    rig_wait_parked();
    http_server_stop(rig.server);
    rig_stop(&rig);
    close(fd);
}

#define GUESTS 8

static void assert_turned_away(int fd)
{
    struct rig_answer answer;
    char id[64] = "";
    rig_read(fd, &answer, false);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.body[answer.body_len - 1], '}');
    assert_non_null(strstr(answer.head, "\r\nRetry-After: "));
    const char *at = strstr(answer.head, "\r\nX-Request-Id: ");
    assert_non_null(at);
    (void)snprintf(id, sizeof id, "\"request_id\":\"%.36s\"", at + strlen("\r\nX-Request-Id: "));
    assert_non_null(memmem(answer.body, answer.body_len, id, strlen(id)));
    assert_true(rig_is_closed(fd));
}

static void test_connections_are_bounded(void **state)
{
    (void)state;
    static const struct http_server_options bounds[] = {
        {.connections_most = 2, .connections_most_per_address = 100},
        {.connections_most_per_address = 2}};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct rig rig;
        struct rig_answer answer;
        rig_start(&rig, &bounds[i]);
        int busy[2];
        for (size_t k = 0; k < 2; k++) {
            busy[k] = rig_connect(&rig);
            rig_send(busy[k], GET("/plain") "GET ");
            rig_read(busy[k], &answer, false);
        }
        /* Nobody gives way: probes are answered, and others are told. */
        assert_int_equal(rig_ask(&rig, GET("/health"), &answer), 200);
        assert_true(answer.closes);
        assert_int_equal(rig_ask(&rig, GET("/plain"), &answer), 503);
        assert_non_null(strstr(answer.head, "\r\nRetry-After: "));
        assert_int_equal(rig_ask(&rig, "GET /hea", &answer), 503);
        assert_true(answer.closes);
        /* Those who say nothing keep nobody away, but for those whom the bound turns away at once.
         */
        int guests[GUESTS + 1];
        for (size_t k = 0; k < GUESTS + 1; k++) {
            guests[k] = rig_connect(&rig);
        }
        assert_turned_away(guests[GUESTS]);
        for (size_t k = 0; k < GUESTS + 1; k++) {
            close(guests[k]);
        }
        rig_send(busy[1], "/plain HTTP/1.1\r\n" HOST "\r\n");
        rig_read(busy[1], &answer, false);
        assert_int_equal(answer.status, 200);
        /* It is idle now, and gives way. */
        int third = rig_connect(&rig);
        assert_true(rig_is_closed(busy[1]));
        rig_send(third, GET("/plain") GET("/plain"));
        for (size_t k = 0; k < 2; k++) {
            rig_read(third, &answer, false);
            assert_int_equal(answer.status, 200);
        }
        close(third);
        close(busy[0]);
        close(busy[1]);
        rig_stop(&rig);
    }
}

static void test_half_of_all_connections_are_one_clients(void **state)
{
    (void)state;
    const struct http_server_options options = {.connections_most = 4};
    struct rig rig;
    int fds[3];
    rig_start(&rig, &options);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = rig_connect(&rig);
    }
    assert_true(rig_is_closed(fds[0]));
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    rig_stop(&rig);
}

static void test_a_trusted_proxy_has_no_bound(void **state)
{
    (void)state;
    const struct http_server_options options = {.connections_most_per_address = 1,
                                                .trusted_proxies = "127.0.0.1"};
    struct rig rig;
    struct rig_answer answer;
    int fds[3];
    rig_start(&rig, &options);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = rig_connect(&rig);
    }
    for (size_t i = 0; i < 3; i++) {
        rig_send(fds[i], GET("/plain"));
        rig_read(fds[i], &answer, false);
        assert_int_equal(answer.status, 200);
        close(fds[i]);
    }
    rig_stop(&rig);
}

/* A client that waits while no descriptor is left is told so, and the loop does not spin. */
static void test_without_descriptors(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_answer answer;
    struct rlimit before;
    rig_start(&rig, NULL);
    int fd = rig_socket();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int free_fd = dup(fd);
    assert_true(free_fd >= 0);
    close(free_fd);
    struct rlimit none = {.rlim_cur = (rlim_t)free_fd, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    rig_connect_socket(&rig, fd);
    rig_read(fd, &answer, false);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(answer.status, 503);
    assert_true(rig_is_closed(fd));
    close(fd);
    assert_int_equal(rig_ask(&rig, GET("/client"), &answer), 200);
    assert_string_equal(answer.body, "127.0.0.1");
    rig_stop(&rig);
}

struct client_case {
    const char *fields;
    const char *client;
};

/* Asks a server that believes this machine's proxy about the client. */
static void assert_clients(const char *header, const struct client_case *cases, size_t count)
{
    const struct http_server_options options = {.trusted_proxies = "10.0.0.0/8, 127.0.0.1",
                                                .client_address_header = header};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    for (size_t i = 0; i < count; i++) {
        char text[512];
        snprintf(text, sizeof text, "GET /client HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
        assert_int_equal(rig_ask(&rig, text, &answer), 200);
        assert_string_equal(answer.body, cases[i].client);
    }
    rig_stop(&rig);
}

static void test_clients_behind_a_proxy(void **state)
{
    (void)state;
    static const struct client_case cases[] = {
        {"", "127.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"},
        {"X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.1.2.3\r\n", "192.0.2.1"},
        {"X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 192.0.2.1,10.1.2.3\r\n", "192.0.2.1"},
        {"X-Forwarded-For: 2001:DB8:0:0::1\r\n", "2001:db8::1"},
        {"X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1"},
        {"X-Forwarded-For: nonsense\r\n", "127.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1, nonsense, 10.9.9.9\r\n", "10.9.9.9"},
        {"X-Forwarded-For:\r\n", "127.0.0.1"},
        {"X-Forwarded-For: 192.0.2.1:5000\r\n", "192.0.2.1"},
        {"X-Forwarded-For: [2001:db8::1]:5000, 10.1.1.1:80\r\n", "2001:db8::1"},
        {"X-Forwarded-For: 192.0.2.1, ,10.1.1.1,\r\n", "192.0.2.1"},
        {"Forwarded: for=192.0.2.1\r\n", "127.0.0.1"},
    };
    struct rig rig;
    struct rig_answer answer;
    assert_clients(NULL, cases, sizeof cases / sizeof *cases);
    assert_clients("x-forwarded-for", cases, sizeof cases / sizeof *cases);
    rig_start(&rig, NULL);
    rig_ask(&rig, "GET /client HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.1\r\n\r\n", &answer);
    assert_string_equal(answer.body, "127.0.0.1");
    rig_stop(&rig);
}

static void test_clients_in_a_field_of_their_own(void **state)
{
    (void)state;
    static const struct client_case cases[] = {
        {"", "127.0.0.1"},
        {"X-Forwarded-For: 192.0.2.9\r\n", "127.0.0.1"},
        {"FLY-client-ip: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.9\r\n", "192.0.2.1"},
        {"Fly-Client-IP: 2001:DB8::1\r\n", "2001:db8::1"},
        {"Fly-Client-IP: [2001:DB8::1]:80\r\n", "2001:db8::1"},
        {"Fly-Client-IP: 10.1.1.1\r\n", "10.1.1.1"},
        {"Fly-Client-IP: 192.0.2.1, 192.0.2.2\r\n", "127.0.0.1"},
        {"Fly-Client-IP: 192.0.2.1\r\nFly-Client-IP: 192.0.2.2\r\n", "127.0.0.1"},
        {"Fly-Client-IP:\r\n", "127.0.0.1"},
        {"Fly-Client-IP2: 192.0.2.1\r\n", "127.0.0.1"},
    };
    assert_clients("Fly-Client-IP", cases, sizeof cases / sizeof *cases);
}

static void test_clients_in_forwarded(void **state)
{
    (void)state;
    static const struct client_case cases[] = {
        {"Forwarded: for=192.0.2.1;proto=https\r\n", "192.0.2.1"},
        {"Forwarded: for=198.51.100.9\r\nX: y\r\nForwarded: For=\"[2001:db8::1]:1\", "
         "for=10.1.1.1\r\n",
         "2001:db8::1"},
        {"Forwarded: for=\"\r\nForwarded: for=192.0.2.1\r\n", "192.0.2.1"},
        {"Forwarded: for=192.0.2.1, for=unknown, for=10.1.1.1\r\n", "10.1.1.1"},
        {"Forwarded: proto=https\r\nX-Forwarded-For: 192.0.2.1\r\n", "127.0.0.1"},
    };
    assert_clients("Forwarded", cases, sizeof cases / sizeof *cases);
}

static void test_cross_origin(void **state)
{
    (void)state;
    const struct http_server_options options = {.cors_origins = "https://a.example, http://b:1"};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    rig_ask(&rig, "GET /plain HTTP/1.1\r\n" HOST "Origin: http://b:1\r\n\r\n", &answer);
    assert_non_null(strstr(answer.head, "\r\nAccess-Control-Allow-Origin: http://b:1\r\n"));
    assert_non_null(strstr(answer.head, "\r\nVary: Accept, Origin\r\n"));
    assert_non_null(strstr(answer.head, "Access-Control-Expose-Headers: ETag, "));
    rig_ask(&rig, "GET /plain HTTP/1.1\r\n" HOST "Origin: http://b\r\n\r\n", &answer);
    assert_null(strstr(answer.head, "Access-Control"));
    assert_non_null(strstr(answer.head, "\r\nVary: Accept, Origin\r\n"));
    rig_ask(&rig, GET("/big"), &answer);
    assert_non_null(strstr(answer.head, "\r\nVary: Origin\r\n"));
    rig_ask(&rig,
            "OPTIONS /echo HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n"
            "Access-Control-Request-Method: PATCH\r\n\r\n",
            &answer);
    assert_int_equal(answer.status, 204);
    assert_non_null(strstr(answer.head,
                           "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, "
                           "DELETE, OPTIONS\r\n"));
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Headers: Accept, "));
    assert_non_null(strstr(answer.head, "Access-Control-Max-Age: "));
    rig_stop(&rig);
}

/* Also what could not be read has to be readable for the page that sent it. */
static void test_refusals_of_an_allowed_origin(void **state)
{
    (void)state;
    static char many[20000];
    const struct {
        const char *text;
        int status;
        bool allowed;
    } cases[] = {
        {"GET /plain HTTP/1.1\r\nOrigin: https://a.example\r\n" HOST "X : y\r\n\r\n", 400, true},
        {"GET /plain HTTP/1.1\r\n" HOST "X : y\r\nORIGIN:https://a.example \r\n\r\n", 400, true},
        {"GET /%00 HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n\r\n", 400, true},
        {"GET /plain HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n", 408, true},
        {"GET /plain HTTP/9.1\r\n" HOST "Origin: https://a.example\r\n\r\n", 505, true},
        {"BREW /plain HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n\r\n", 501, true},
        {"PATCH /echo HTTP/1.1\r\n" HOST "Origin: https://a.example\r\nContent-Length: 101\r\n\r\n",
         413, true},
        {"PUT /echo HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n\r\n", 405, true},
        {"GET /nothing HTTP/1.1\r\n" HOST "Origin: https://a.example\r\n\r\n", 404, true},
        {many, 431, true},
        {"GET /plain HTTP/1.1\r\nX : y\r\nOrigin: https://a.example\r\nOrigin: https://b\r\n\r\n",
         400, false},
        {"GET /plain HTTP/1.1\r\nX : y\r\nOrigin: https://b\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nX : y\r\nOrigin: https://a.example\r\x01\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nX : y\r\n\r\n", 400, false},
    };
    const struct http_server_options options = {.cors_origins = "https://a.example",
                                                .header_ms = 200};
    struct rig rig;
    struct rig_answer answer;
    snprintf(many, sizeof many,
             "GET /plain HTTP/1.1\r\n" HOST "Origin: https://a.example\r\nX: %017000d\r\n\r\n", 1);
    rig_start(&rig, &options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int status = rig_ask(&rig, cases[i].text, &answer);
        const bool allowed =
            strstr(answer.head, "\r\nAccess-Control-Allow-Origin: https://a.example\r\n") != NULL;
        if (status != cases[i].status || allowed != cases[i].allowed ||
            !strstr(answer.head, "Origin\r\n")) {
            fail_msg("%.100s\ngave %s", cases[i].text, answer.head);
        }
    }
    rig_stop(&rig);
}

static void test_a_prefix_of_every_path(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
        const char *instance; /* of a problem */
    } cases[] = {
        {"/plain", 200, NULL},
        {"/todo/plain", 200, NULL},
        {"/t%6fdo/plain", 200, NULL},
        {"/todo/todo/plain", 404, "/todo/todo/plain"},
        {"/todo", 404, "/todo/"},
        {"/todo/", 404, "/todo/"},
        {"/todoplain", 404, "/todo/todoplain"},
        {"/todo//plain", 404, "/todo//plain"},
        {"/todo/nothing", 404, "/todo/nothing"},
        {"/nothing", 404, "/todo/nothing"},
    };
    const struct http_server_options options = {.path_prefix = SLICE("/todo")};
    struct rig rig;
    struct rig_answer answer;
    rig_start(&rig, &options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i].path);
        assert_int_equal(rig_ask(&rig, text, &answer), cases[i].status);
        if (cases[i].instance) {
            snprintf(text, sizeof text, "\"instance\":\"%s\"", cases[i].instance);
            if (!strstr(answer.body, text) ||
                !strstr(answer.body, "\"/todo/problems/not_found\"")) {
                fail_msg("%s gave %s", cases[i].path, answer.body);
            }
        }
    }
    rig_stop(&rig);
}

static void test_options_that_are_refused(void **state)
{
    (void)state;
    static const struct http_route none[1] = {{.path = "/", .handler = NULL}};
    static const struct http_server_options bad[] = {
        {.host = "127.0.0.1", .cors_origins = "a.example", .routes = none},
        {.host = "127.0.0.1", .cors_origins = "https://a/", .routes = none},
        {.host = "127.0.0.1", .cors_origins = "https://a, *", .routes = none},
        {.host = "127.0.0.1", .trusted_proxies = "10.0.0.0/33", .routes = none},
        {.host = "127.0.0.1", .trusted_proxies = "proxy", .routes = none},
        {.host = "192.0.2.1", .routes = none},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = NULL;
        assert_null(http_server_create(&bad[i], &why));
        assert_non_null(why);
    }
}

static void test_a_port_in_use_is_refused(void **state)
{
    (void)state;
    static const struct http_route none[1] = {{.path = "/", .handler = NULL}};
    struct rig rig;
    const char *why = NULL;
    rig_start(&rig, NULL);
    const struct http_server_options options = {
        .host = "127.0.0.1", .port = rig.port, .routes = none};
    assert_null(http_server_create(&options, &why));
    assert_non_null(strstr(why, "PORT"));
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_a_new_connection_has_something_to_ask),
        cmocka_unit_test(test_a_client_that_takes_nothing_is_dropped),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_a_delayed_drain_accepts_until_it_begins),
        cmocka_unit_test(test_the_drain_ends_although_a_handler_does_not),
        cmocka_unit_test(test_a_second_stop_ends_at_once),
        cmocka_unit_test(test_connections_are_bounded),
        cmocka_unit_test(test_half_of_all_connections_are_one_clients),
        cmocka_unit_test(test_a_trusted_proxy_has_no_bound),
        cmocka_unit_test(test_without_descriptors),
        cmocka_unit_test(test_clients_behind_a_proxy),
        cmocka_unit_test(test_clients_in_a_field_of_their_own),
        cmocka_unit_test(test_clients_in_forwarded),
        cmocka_unit_test(test_cross_origin),
        cmocka_unit_test(test_refusals_of_an_allowed_origin),
        cmocka_unit_test(test_a_prefix_of_every_path),
        cmocka_unit_test(test_options_that_are_refused),
        cmocka_unit_test(test_a_port_in_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
