// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/respond.h"
#include "model/task.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct uuid id = {
    {0x01, 0xa2, 0x03, 0xca, 0x19, 0x4b, 0x77, 0xa5, 0x8c, 0, 0, 0, 0, 0, 0, 0x03}};

static struct buffer out;
static struct json_writer w;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&out, 4096);
    json_writer_init(&w, &out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_finish(&out);
    return 0;
}

static void assert_written(const char *expected)
{
    buffer_add_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal(out.data, expected);
}

static void a_task(void **state)
{
    const struct task task = {
        .id = id,
        .title = SLICE("Say \"hi\"\\"),
        .description = {0},
        .status = TASK_IN_PROGRESS,
        .created_at = 1795359906123,
        .updated_at = 1795359906124,
        .revision = 42,
    };
    (void)state;
    resource_encode(&task_resource, &task, RESOURCE_ALL, &w);
    assert_written(
        "{\"id\":\"01a203ca-194b-77a5-8c00-000000000003\",\"title\":\"Say \\\"hi\\\"\\\\\","
        "\"description\":null,\"status\":\"in-progress\","
        "\"created_at\":\"2026-11-22T15:05:06.123Z\","
        "\"updated_at\":\"2026-11-22T15:05:06.124Z\",\"completed_at\":null,"
        "\"revision\":42}");
}

static void a_completed_task(void **state)
{
    const struct task task = {
        .id = id,
        .title = SLICE("t"),
        .description = SLICE(""),
        .status = TASK_COMPLETED,
        .created_at = 1795359906123,
        .updated_at = 1795359906123,
        .completed_at = 1795359906123,
        .revision = INT64_MAX,
    };
    (void)state;
    resource_encode(&task_resource, &task, RESOURCE_ALL, &w);
    buffer_add_char(&out, '\0');
    assert_non_null(strstr(out.data, "\"description\":\"\""));
    assert_non_null(strstr(out.data, "\"completed_at\":\"2026-11-22T15:05:06.123Z\""));
    assert_non_null(strstr(out.data, "\"revision\":9223372036854775807"));
}

static void a_user_without_the_hash(void **state)
{
    const struct user user = {
        .id = id,
        .email = SLICE("ada@example.com"),
        .password_hash = SLICE("$argon2id$secret"),
        .created_at = 1795359906123,
        .updated_at = 1795359906123,
    };
    (void)state;
    respond_write(&w, &user_body_user, &user);
    assert_written("{\"id\":\"01a203ca-194b-77a5-8c00-000000000003\","
                   "\"email\":\"ada@example.com\",\"name\":null,"
                   "\"created_at\":\"2026-11-22T15:05:06.123Z\","
                   "\"updated_at\":\"2026-11-22T15:05:06.123Z\"}");
}

static void a_session(void **state)
{
    const struct session session = {
        .id = id,
        .counter = 9,
        .created_at = 1795359906123,
        .last_used_at = 1795359906123,
        .expires_at = 1795359906123,
        .ip = SLICE("127.0.0.1"),
    };
    (void)state;
    respond_write_session(&w, &session, true);
    assert_written("{\"id\":\"01a203ca-194b-77a5-8c00-000000000003\","
                   "\"created_at\":\"2026-11-22T15:05:06.123Z\","
                   "\"last_used_at\":\"2026-11-22T15:05:06.123Z\","
                   "\"expires_at\":\"2026-11-22T15:05:06.123Z\",\"user_agent\":null,"
                   "\"ip\":\"127.0.0.1\",\"current\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_completed_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_without_the_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
