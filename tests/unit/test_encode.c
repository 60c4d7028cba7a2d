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

/* A task with nothing but a title. */
static struct task plain_task(const char *title)
{
    struct task task;
    resource_clear(&task_resource, &task);
    task.id = id;
    task.title = slice_of(title);
    task.position = SLICE("tG");
    task.created_at = 1795359906123;
    task.updated_at = 1795359906124;
    task.revision = 42;
    return task;
}

static void a_task(void **state)
{
    struct task task = plain_task("Say \"hi\"\\");
    (void)state;
    task.status = TASK_IN_PROGRESS;
    resource_encode(&task_resource, &task, RESOURCE_ALL, &w);
    assert_written(
        "{\"id\":\"01a203ca-194b-77a5-8c00-000000000003\",\"title\":\"Say \\\"hi\\\"\\\\\","
        "\"description\":null,\"status\":\"in-progress\",\"priority\":\"none\",\"list_id\":null,"
        "\"parent_id\":null,\"position\":\"tG\",\"labels\":[],\"start\":null,\"due\":null,"
        "\"time_zone\":null,\"recurrence\":null,\"recurrence_anchor\":\"due\",\"blocked_by\":[],"
        "\"metadata\":{},\"completed_at\":null,\"series_id\":null,\"next_id\":null,"
        "\"created_at\":\"2026-11-22T15:05:06.123Z\",\"updated_at\":\"2026-11-22T15:05:06.124Z\","
        "\"revision\":42}");
}

/* What has its default is written in one go: as member by member, whatever else there is. */
static void any_members(void **state)
{
    (void)state;
    for (unsigned set = 0; set < 1U << 9; set++) {
        struct buffer one;
        struct json_writer by_one;
        struct task task = plain_task("t");
        task.description = set & 1 ? SLICE("d") : (struct slice){0};
        task.status = set & 2 ? TASK_COMPLETED : TASK_PENDING;
        task.priority = set & 4 ? TASK_PRIORITY_URGENT : TASK_PRIORITY_NONE;
        task.list_id = set & 8 ? id : (struct uuid){{0}};
        task.labels = set & 16 ? SLICE("[\"a\"]") : SLICE("[]");
        task.due = set & 32 ? 0 : FIELD_NULL_NUMBER;
        task.blocked_by =
            set & 64 ? SLICE("[\"01a203ca-194b-77a5-8c00-000000000003\"]") : SLICE("[]");
        task.completed_at = set & 128 ? 1 : 0;
        task.next_id = set & 256 ? id : (struct uuid){{0}};
        buffer_init(&one, 4096);
        json_writer_init(&by_one, &one);
        jw_open_object(&by_one);
        field_write(task_resource.fields, task_resource.count, &task, &by_one);
        jw_close_object(&by_one);
        buffer_clear(&out);
        json_writer_init(&w, &out);
        resource_encode(&task_resource, &task, RESOURCE_ALL, &w);
        assert_true(slice_eq(buffer_slice(&out), buffer_slice(&one)));
        buffer_finish(&one);
    }
}

static void a_completed_task(void **state)
{
    struct task task = plain_task("t");
    task.description = SLICE("");
    task.status = TASK_COMPLETED;
    task.completed_at = 1795359906123;
    task.revision = INT64_MAX;
    (void)state;
    resource_encode(&task_resource, &task, RESOURCE_ALL, &w);
    buffer_add_char(&out, '\0');
    assert_non_null(strstr(out.data, "\"description\":\"\""));
    assert_non_null(strstr(out.data, "\"completed_at\":\"2026-11-22T15:05:06.123Z\""));
    assert_non_null(strstr(out.data, "\"revision\":9223372036854775807"));
}

/* What is written of some members is read back as they were, and as no more. */
static void members_are_read_back(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct task task = plain_task("Say \"hi\"\\");
    (void)state;
    assert_non_null(arena);
    task.description = SLICE("a\nb \xc3\xa9");
    task.status = TASK_COMPLETED;
    task.completed_at = 1795359906123;
    task.priority = TASK_PRIORITY_HIGH;
    task.list_id = task.parent_id = task.series_id = task.next_id = id;
    task.labels = SLICE("[\"a\",\"b\"]");
    task.start = INT64_C(2) * 86400000 * 20000 + 1;
    task.due = 2 * 1795359906123;
    task.time_zone = SLICE("Nowhere/Any_more");
    task.recurrence = SLICE("FREQ=DAILY");
    task.recurrence_anchor = TASK_ANCHOR_COMPLETION;
    task.blocked_by = SLICE("[\"01a203ca-194b-77a5-8c00-000000000003\"]");
    task.metadata = SLICE("{\"a\":\"1\"}");
    for (size_t i = 0; i <= task_resource.count; i++) {
        struct task read;
        unsigned set = 0;
        const unsigned mask = i < task_resource.count ? 1U << i : (1U << i) - 1;
        buffer_clear(&out);
        json_writer_init(&w, &out);
        resource_encode(&task_resource, &task, mask, &w);
        assert_int_equal(resource_decode(&task_resource, buffer_slice(&out), &read, &set, arena),
                         ERROR_NONE);
        assert_int_equal(set, mask);
        assert_int_equal(resource_differ(&task_resource, &task, &read) & mask, 0);
    }
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{\"title\":1}",
                                        "{\"nothing\":1}",
                                        "{\"status\":\"gone\"}",
                                        "{\"due\":",
                                        "{\"title\":null}"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct task read;
        unsigned set = 0;
        assert_int_equal(resource_decode(&task_resource, slice_of(wrong[i]), &read, &set, arena),
                         ERROR_INTERNAL_ERROR);
    }
    arena_destroy(&arena);
}

static void a_user_without_the_hash(void **state)
{
    const struct user user = {
        .id = id,
        .email = SLICE("ada@example.com"),
        .password_hash = SLICE("$argon2id$secret"),
        .time_zone = SLICE("Europe/Berlin"),
        .created_at = 1795359906123,
        .updated_at = 1795359906123,
    };
    (void)state;
    respond_write(&w, &user_body_user, &user);
    assert_written("{\"id\":\"01a203ca-194b-77a5-8c00-000000000003\","
                   "\"email\":\"ada@example.com\",\"name\":null,\"time_zone\":\"Europe/Berlin\","
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
        cmocka_unit_test_setup_teardown(any_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_completed_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_are_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_without_the_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
