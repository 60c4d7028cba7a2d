// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/postgres/conninfo.h"

static char why[256];

static void read_url(struct conninfo *info, const char *url, unsigned first)
{
    why[0] = '\0';
    assert_true(conninfo_init(info, url, 5000, first, why, sizeof why));
}

static void expect(const struct conninfo *info, const char *keyword, const char *value)
{
    const char *found = conninfo_value(info, keyword);
    print_message("%s\n", keyword);
    if (value)
        assert_string_equal(found, value);
    else
        assert_null(found);
}

static void test_what_stands_under_a_url(void **state)
{
    static const char *const rows[][2] = {
        {"host", "db"},
        {"port", NULL},
        {"user", "u"},
        {"password", "p@/?"},
        {"dbname", "tasks"},
        {"sslmode", "verify-full"},
        {"client_encoding", "UTF8"},
        {"fallback_application_name", "taskhold"},
        {"connect_timeout", "2"},
        {"target_session_attrs", "any"},
        {"keepalives", "1"},
        {"keepalives_idle", "5"},
        {"keepalives_interval", "2"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "5000"},
        {"gssencmode", "disable"},
    };
    struct conninfo info;
    read_url(&info, "postgres://u:p%40%2F%3F@db/tasks?sslmode=verify-full", 0);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(&info, rows[i][0], rows[i][1]);
    assert_int_equal(info.hosts, 1);
    conninfo_finish(&info);
}

static void test_what_a_url_may_say(void **state)
{
    static const struct {
        const char *query;
        const char *keyword;
        const char *value;
    } rows[] = {
        {"connect_timeout=7", "connect_timeout", "7"},
        {"connect_timeout=0", "connect_timeout", "2"}, /* for ever */
        {"tcp_user_timeout=900", "tcp_user_timeout", "900"},
        {"tcp_user_timeout=0", "tcp_user_timeout", "5000"},
        {"keepalives=0", "keepalives", "1"},
        {"keepalives_idle=60", "keepalives_idle", "60"},
        {"client_encoding=LATIN1", "client_encoding", "UTF8"},
        {"target_session_attrs=primary", "target_session_attrs", "any"}, /* asked for by itself */
        {"target_session_attrs=standby", "target_session_attrs", "any"},
        {"application_name=mine", "application_name", "mine"},
        {"gssencmode=require", "gssencmode", "require"},
        {"host=/run/postgresql&port=6432", "host", "/run/postgresql"},
        {"host=/cloudsql/a:b:c", "host", "/cloudsql/a:b:c"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[128];
        (void)snprintf(url, sizeof url, "postgresql:///tasks?%s", rows[i].query);
        struct conninfo info;
        read_url(&info, url, 0);
        expect(&info, rows[i].keyword, rows[i].value);
        conninfo_finish(&info);
    }
}

static void test_hosts_in_turn(void **state)
{
    static const struct {
        const char *url;
        unsigned first;
        unsigned hosts;
        const char *host;
        const char *hostaddr;
        const char *port;
    } rows[] = {
        {"postgres://a/d", 0, 1, "a", NULL, NULL},
        {"postgres://a,b,c/d", 0, 3, "a,b,c", NULL, ",,"},
        {"postgres://a:1,b:2,c:3/d", 0, 3, "a,b,c", NULL, "1,2,3"},
        {"postgres://a:1,b:2,c:3/d", 1, 3, "b,c,a", NULL, "2,3,1"},
        {"postgres://a:1,b:2,c:3/d", 2, 3, "c,a,b", NULL, "3,1,2"},
        {"postgres://a:1,b:2,c:3/d", 3, 3, "a,b,c", NULL, "1,2,3"}, /* another URL's */
        {"postgres://a:1,b,c:3/d", 1, 3, "b,c,a", NULL, ",3,1"},
        {"postgres:///d?host=a,b&port=6", 1, 2, "b,a", NULL, "6"}, /* one for all */
        {"postgres:///d?host=a,b&hostaddr=10.0.0.1,10.0.0.2", 1, 2, "b,a", "10.0.0.2,10.0.0.1",
         NULL},
        {"postgres:///d?hostaddr=10.0.0.1,10.0.0.2&port=1,2", 1, 2, NULL, "10.0.0.2,10.0.0.1",
         "2,1"},
        {"postgres:///d?host=a&port=1,2", 1, 1, "a", NULL, "1,2"}, /* libpq refuses it */
        {"postgres://[::1]:1,[::2]:2/d", 1, 2, "::2,::1", NULL, "2,1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s from %u\n", rows[i].url, rows[i].first);
        struct conninfo info;
        read_url(&info, rows[i].url, rows[i].first);
        assert_int_equal(info.hosts, rows[i].hosts);
        expect(&info, "host", rows[i].host);
        expect(&info, "hostaddr", rows[i].hostaddr);
        expect(&info, "port", rows[i].port);
        conninfo_finish(&info);
    }
}

/* Where libpq would tell a part of the password as the name of a host, or the whole URL. */
static void test_a_password_is_not_told(void **state)
{
    static const char *const urls[] = {
        "postgres://u:hun@ter2@h/d",     "postgres://u:hunter2/x@h/d",
        "postgres://u:hunter2%zz@h/",    "postgres://u:hunter2@h/d?sslmod=require",
        "postgres://u:hunter2@[::1",     "postgres://u:hunter2@h:x/d",
        "postgres://u@h/d@hunter2",      "postgres://u:hunter2@h/d?hunter2",
        "postgres://u:hun/2?ter2=x@h/d",
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct conninfo info;
        print_message("%s\n", urls[i]);
        assert_false(conninfo_init(&info, urls[i], 5000, 0, why, sizeof why));
        assert_non_null(strstr(why, "DATABASE_URL"));
        assert_null(strstr(why, "ter2"));
        assert_null(strchr(why, '\n'));
    }
}

/* What no server can ever make right is told at once, by name. */
static void test_what_can_never_be_right(void **state)
{
    static const struct {
        const char *url;
        const char *says; /* NULL: it may be right */
    } rows[] = {
        {"postgres://h/d?pgbouncer=true", "pgbouncer; set DATABASE_PREPARED=off"},
        {"postgres://h/d?sslmode=require&schema=x", "schema; use options=-csearch_path"},
        {"postgres://h/d?nonsense=1", "nonsense; take it away"},
        {"postgres://h/d?a\nb\033[2J=1", "no parameter a b [2J; take it away"},
        {"postgres://h:99999/d", "port"},
        {"postgres://h:0/d", "port"},
        {"postgres://h/d?sslmode=foo", "sslmode"},
        {"postgres://h,i/d?port=1,2,3", "port numbers"},
        {"postgres://h:1,i:2/d", NULL},
        {"postgres://h/d?ssl=true", NULL},
        {"postgres:///d?host=/run/x", NULL},
        {"postgres://192.0.2.1:5432/d", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        why[0] = '\0';
        print_message("%s\n", rows[i].url);
        assert_int_equal(conninfo_judge(rows[i].url, why, sizeof why), rows[i].says == NULL);
        assert_non_null(strstr(why, rows[i].says ? rows[i].says : ""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_under_a_url),
        cmocka_unit_test(test_what_a_url_may_say),
        cmocka_unit_test(test_hosts_in_turn),
        cmocka_unit_test(test_a_password_is_not_told),
        cmocka_unit_test(test_what_can_never_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
