// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/field.h"
#include "model/task.h"
#include "model/user_fields.h"

#include <stdio.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Reads `body` and writes what is wrong into `out`, as `pointer code` pairs. */
static void read_errors(const struct field *fields, size_t count, enum field_mode mode,
                        struct slice body, void *input, char *out, size_t size)
{
    struct arena *arena = arena_create(1 << 20);
    struct json_reader reader;
    char why[JSON_READER_WHY];
    struct field_reading reading = {
        .fields = fields, .count = count, .mode = mode, .arena = arena, .input = input};
    assert_int_equal(json_reader_init(&reader, body, JSON_TOKENS, why), JSON_READ_OK);
    assert_true(field_read(&reading, &reader));
    json_reader_finish(&reader);
    out[0] = '\0';
    for (unsigned i = 0; i < reading.errors.count; i++) {
        const struct field_error *error = &reading.errors.list[i];
        size_t len = strlen(out);
        assert_true(strlen(error->detail) > 0);
        snprintf(out + len, size - len, "%s%.*s %s", i ? ", " : "", (int)error->pointer.len,
                 error->pointer.ptr, error->code);
    }
    arena_destroy(&arena);
}

static void task_bodies(void **state)
{
    static const struct {
        enum field_mode mode;
        const char *body;
        const char *errors;
    } cases[] = {
        {FIELD_WHOLE, "{\"title\":\"a\"}", ""},
        {FIELD_WHOLE, "{\"title\":\"a\",\"description\":null,\"status\":\"completed\"}", ""},
        {FIELD_WHOLE, "{\"title\":\"a\",\"description\":\"x\\ty\\r\\nz\"}", ""},
        {FIELD_WHOLE, "{\"title\":\"\\u00e9\\ud83d\\ude00\"}", ""},
        {FIELD_WHOLE, "{}", "/title required"},
        {FIELD_WHOLE, "{\"title\":null}", "/title type"},
        {FIELD_WHOLE, "{\"title\":1}", "/title type"},
        {FIELD_WHOLE, "{\"title\":[]}", "/title type"},
        {FIELD_WHOLE, "{\"title\":\"\"}", "/title too_short"},
        {FIELD_WHOLE, "{\"title\":\" \\u3000\"}", "/title blank"},
        {FIELD_WHOLE, "{\"title\":\"a\\nb\"}", "/title control_character"},
        {FIELD_WHOLE, "{\"title\":\"a\\u007f\"}", "/title control_character"},
        {FIELD_WHOLE, "{\"title\":\"a\\u0085\"}", "/title control_character"},
        {FIELD_WHOLE, "{\"title\":\"\\t\"}", "/title control_character, /title blank"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"description\":\"\\u0008\"}",
         "/description control_character"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"description\":false}", "/description type"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"status\":\"done\"}", "/status not_allowed"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"status\":null}", "/status type"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"id\":\"x\"}", "/id read_only"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"revision\":1}", "/revision read_only"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"Title\":\"b\"}", "/Title unknown"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"a/b~c\":1}", "/a~1b~0c unknown"},
        {FIELD_WHOLE, "{\"title\":\"a\",\"\":1}", "/ unknown"},
        {FIELD_WHOLE, "{\"x\":1,\"status\":7,\"description\":8}",
         "/x unknown, /status type, /description type, /title required"},
        {FIELD_PATCH, "{}", ""},
        {FIELD_PATCH, "{\"description\":null}", ""},
        {FIELD_PATCH, "{\"title\":null}", "/title required"},
        {FIELD_PATCH, "{\"status\":null}", ""},
        {FIELD_SOME, "{\"description\":null}", ""},
        {FIELD_SOME, "{\"title\":null,\"status\":null}", "/title type, /status type"},
        {FIELD_PATCH, "{\"title\":\"\"}", "/title too_short"},
        {FIELD_PATCH, "{\"completed_at\":null}", ""},
        {FIELD_PATCH, "{\"series_id\":null}", "/series_id read_only"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct task change = {0};
        char errors[512];
        read_errors(task_resource.fields, task_resource.count, cases[i].mode,
                    slice_of(cases[i].body), &change, errors, sizeof errors);
        if (strcmp(errors, cases[i].errors) != 0) {
            fail_msg("case %zu: %s: %s", i, cases[i].body, errors);
        }
    }
}

/* A title of `count` times `unit`. */
static void check_title_length(const char *unit, size_t count, const char *expected)
{
    static char body[TASK_TITLE_MOST * 4 + 64];
    struct task change = {0};
    char errors[128];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"title\":\"");
    for (size_t i = 0; i < count; i++) {
        memcpy(body + len, unit, strlen(unit));
        len += strlen(unit);
    }
    memcpy(body + len, "\"}", 2);
    read_errors(task_resource.fields, task_resource.count, FIELD_WHOLE,
                (struct slice){body, len + 2}, &change, errors, sizeof errors);
    assert_string_equal(errors, expected);
}

static void titles_are_counted_in_code_points(void **state)
{
    (void)state;
    check_title_length("a", TASK_TITLE_MOST, "");
    check_title_length("a", TASK_TITLE_MOST + 1, "/title too_long");
    check_title_length("\xf0\x9f\x98\x80", TASK_TITLE_MOST, "");
    check_title_length("\xf0\x9f\x98\x80", TASK_TITLE_MOST + 1, "/title too_long");
}

static void account_bodies(void **state)
{
    static const struct {
        const struct user_body *body;
        const char *json;
        const char *errors;
    } cases[] = {
        {&user_body_registration, "{\"email\":\"a@b\",\"password\":\"x\"}", ""},
        {&user_body_registration, "{\"email\":\"a@b\",\"password\":\"x\",\"name\":null}", ""},
        {&user_body_registration, "{\"name\":1}",
         "/name type, /email required, /password required"},
        {&user_body_registration, "{\"email\":\"a\",\"password\":\"x\",\"name\":\" \"}",
         "/email email, /name blank"},
        {&user_body_registration, "{\"email\":\"a@b\",\"password\":\"x\",\"name\":\"\"}",
         "/name too_short"},
        {&user_body_registration, "{\"email\":\"a@b\",\"password\":\"x\\u0001\"}", ""},
        /* Control characters are told once, by what they are. */
        {&user_body_registration, "{\"email\":\"a\\n@b\",\"password\":\"x\"}",
         "/email control_character"},
        {&user_body_registration, "{\"email\":\"a@b\",\"password\":\"x\",\"invitation\":null}",
         "/invitation type"},
        {&user_body_invite, "{}", ""},
        {&user_body_invite, "{\"email\":\"a\",\"days\":\"0\"}", "/email email, /days days"},
        {&user_body_invite, "{\"days\":\"366\"}", "/days days"},
        {&user_body_invite, "{\"days\":\"365\"}", ""},
        {&user_body_added, "{\"email\":\"a@b\",\"password\":\"x\",\"invitation\":\"y\"}",
         "/invitation unknown"},
        {&user_body_credentials, "{\"email\":\"no address\",\"password\":\"\"}", ""},
        {&user_body_credentials, "{\"email\":\"a@b\",\"password\":7}", "/password type"},
        {&user_body_refresh, "{\"refresh_token\":\"\"}", "/refresh_token too_short"},
        {&user_body_password, "{}", "/current_password required, /new_password required"},
        {&user_body_email, "{\"email\":\"x\"}", "/email email, /password required"},
        {&user_body_proof, "{\"Password\":\"x\"}", "/Password unknown, /password required"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct user_input input = {0};
        char errors[512];
        read_errors(cases[i].body->fields, cases[i].body->count, FIELD_WHOLE,
                    slice_of(cases[i].json), &input, errors, sizeof errors);
        if (strcmp(errors, cases[i].errors) != 0) {
            fail_msg("case %zu: %s: %s", i, cases[i].json, errors);
        }
    }
}

static void passwords_are_read_in_one_form(void **state)
{
    static char body[2048] = "{\"password\":\"";
    struct arena *arena = arena_create(1 << 16);
    struct json_reader reader;
    char why[JSON_READER_WHY];
    struct user_input input = {0};
    struct field_reading reading = {.fields = user_body_password.fields,
                                    .count = user_body_password.count,
                                    .mode = FIELD_WHOLE,
                                    .arena = arena,
                                    .input = &input};
    (void)state;
    assert_int_equal(
        json_reader_init(&reader,
                         SLICE("{\"current_password\":\"e\u0301\",\"new_password\":\"a\u030a\"}"),
                         JSON_TOKENS, why),
        JSON_READ_OK);
    assert_true(field_read(&reading, &reader));
    json_reader_finish(&reader);
    assert_true(slice_eq(input.password, SLICE("\u00e9")));
    assert_true(slice_eq(input.new_password, SLICE("\u00e5")));
    arena_destroy(&arena);

    char errors[128];
    size_t len = strlen(body);
    for (unsigned i = 0; i < 255; i++, len += 4) {
        memcpy(body + len, "\U0001d160", 4);
    }
    memcpy(body + len, "\"}", 2);
    read_errors(user_body_proof.fields, user_body_proof.count, FIELD_WHOLE,
                (struct slice){body, len + 2}, &input, errors, sizeof errors);
    assert_string_equal(errors, "/password too_long");
}

static struct field_reading read_keeping(struct arena *arena, enum field_mode mode,
                                         struct slice body, struct task *change)
{
    struct json_reader reader;
    char why[JSON_READER_WHY];
    struct field_reading reading = {.fields = task_resource.fields,
                                    .count = task_resource.count,
                                    .mode = mode,
                                    .arena = arena,
                                    .input = change};
    assert_int_equal(json_reader_init(&reader, body, JSON_TOKENS, why), JSON_READ_OK);
    assert_true(field_read(&reading, &reader));
    json_reader_finish(&reader);
    return reading;
}

static unsigned bit(const char *name)
{
    return 1U << (resource_field(&task_resource, slice_of(name)) - task_resource.fields);
}

static void a_patch_knows_what_was_there(void **state)
{
    struct arena *arena = arena_create(1 << 16);
    struct task change = {.description = SLICE("kept?")};
    (void)state;
    struct field_reading reading = read_keeping(
        arena, FIELD_PATCH, SLICE("{\"description\":null,\"status\":\"in-progress\"}"), &change);
    assert_int_equal(reading.errors.count, 0);
    assert_int_equal(reading.set, bit("description") | bit("status"));
    assert_null(change.description.ptr);
    assert_int_equal(change.status, TASK_IN_PROGRESS);
    assert_null(change.title.ptr);

    reading =
        read_keeping(arena, FIELD_PATCH, SLICE("{\"title\":\"T\",\"description\":\"\"}"), &change);
    assert_int_equal(reading.set, bit("title") | bit("description"));
    assert_true(slice_eq(change.title, SLICE("T")));
    assert_non_null(change.description.ptr);
    assert_int_equal(change.description.len, 0);
    arena_destroy(&arena);
}

static void all_errors_up_to_a_bound(void **state)
{
    struct arena *arena = arena_create(1 << 16);
    struct task change = {0};
    struct buffer body;
    (void)state;
    buffer_init(&body, 1024);
    for (unsigned i = 0; i < FIELD_ERRORS + 1; i++) {
        buffer_add_format(&body, "%c\"x%u\":1", i ? ',' : '{', i);
    }
    buffer_add_char(&body, '}');
    struct field_reading reading = read_keeping(arena, FIELD_WHOLE, buffer_slice(&body), &change);
    buffer_finish(&body);
    assert_int_equal(reading.errors.count, FIELD_ERRORS);
    assert_true(reading.errors.overflow);
    assert_true(slice_eq(reading.errors.list[31].pointer, SLICE("/x31")));
    arena_destroy(&arena);
}

static void errors_become_sentences(void **state)
{
    struct field_errors errors = {0};
    char text[64];
    char little[8];
    (void)state;
    assert_int_equal(field_errors_say(&errors, text, sizeof text), 0);
    assert_string_equal(text, "");
    field_errors_add(&errors, SLICE("/due"), "date", "Is none.");
    field_errors_add(&errors, SLICE("/caf\xc3\xa9"), "unknown", "Is unknown.");
    assert_int_equal(field_errors_say(&errors, text, sizeof text), strlen(text));
    assert_string_equal(text, "due: Is none. caf\xc3\xa9: Is unknown.");
    /* No character is cut in two. */
    errors = (struct field_errors){0};
    field_errors_add(&errors, SLICE("/\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), "unknown", "Is unknown.");
    assert_int_equal(field_errors_say(&errors, little, sizeof little), 6);
    assert_string_equal(little, "\xc3\xa9\xc3\xa9\xc3\xa9");
}

static void memory_runs_out(void **state)
{
    struct arena *arena = arena_create(64);
    struct task change = {0};
    struct json_reader reader;
    char why[JSON_READER_WHY];
    char body[256];
    (void)state;
    snprintf(body, sizeof body, "{\"title\":\"%0*d\"}", 200, 1);
    struct field_reading reading = {.fields = task_resource.fields,
                                    .count = task_resource.count,
                                    .arena = arena,
                                    .input = &change};
    assert_int_equal(json_reader_init(&reader, slice_of(body), JSON_TOKENS, why), JSON_READ_OK);
    assert_false(field_read(&reading, &reader));
    json_reader_finish(&reader);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_bodies),
        cmocka_unit_test(titles_are_counted_in_code_points),
        cmocka_unit_test(account_bodies),
        cmocka_unit_test(passwords_are_read_in_one_form),
        cmocka_unit_test(a_patch_knows_what_was_there),
        cmocka_unit_test(all_errors_up_to_a_bound),
        cmocka_unit_test(errors_become_sentences),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
