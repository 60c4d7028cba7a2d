// SPDX-License-Identifier: MIT
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "model/task_fields.h"
#include "model/text.h"
#include "model/user_fields.h"

/* The first byte of the input chooses the body that is read and how; the rest is the body. What was
 * read without an error must keep the rules of its fields. */

#define ARENA_MOST ((size_t)4 << 20)

static void check_errors(const struct field_errors *errors)
{
    assert(errors->count <= FIELD_ERRORS);
    for (unsigned i = 0; i < errors->count; i++) {
        assert(errors->list[i].pointer.len > 0 && errors->list[i].pointer.ptr[0] == '/');
        assert(utf8_valid(errors->list[i].pointer));
        assert(errors->list[i].code && errors->list[i].detail);
    }
}

static void check_task(const struct task_change *change, unsigned set)
{
    if (set & TASK_TITLE) {
        struct text_facts facts = text_look(change->title);
        assert(facts.code_points >= 1 && facts.code_points <= TASK_TITLE_MOST);
        assert(!facts.blank && !facts.line_control && !facts.other_control);
    }
    if ((set & TASK_DESCRIPTION) && change->description.ptr) {
        struct text_facts facts = text_look(change->description);
        assert(facts.code_points <= TASK_DESCRIPTION_MOST && !facts.other_control);
    }
    assert(change->status < TASK_STATUS_COUNT);
}

static void check_user(const struct user_input *input)
{
    assert(input->name.len <= 4 * USER_NAME_MOST && input->email.len <= USER_EMAIL_MOST);
    assert(input->password.len <= USER_PASSWORD_MOST);
}

static void read_task(struct json_reader *reader, struct arena *arena, enum field_mode mode)
{
    struct task_change change = {0};
    struct field_reading reading = {.fields = task_fields,
                                    .count = task_field_count,
                                    .mode = mode,
                                    .arena = arena,
                                    .input = &change};
    if (field_read(&reading, reader)) {
        check_errors(&reading.errors);
        if (reading.errors.count == 0) {
            check_task(&change, reading.set);
        }
    }
}

static void read_user(struct json_reader *reader, struct arena *arena, const struct user_body *body)
{
    struct user_input input = {0};
    struct field_reading reading = {
        .fields = body->fields, .count = body->count, .arena = arena, .input = &input};
    if (field_read(&reading, reader)) {
        check_errors(&reading.errors);
        if (reading.errors.count == 0) {
            check_user(&input);
        }
    }
}

static void read_body(struct json_reader *reader, struct arena *arena, unsigned char choice)
{
    static const struct user_body *const bodies[] = {
        &user_body_registration, &user_body_credentials, &user_body_refresh, &user_body_profile,
        &user_body_password,     &user_body_email,       &user_body_proof};
    const unsigned count = sizeof bodies / sizeof bodies[0];
    if (choice % (count + 2) < count) {
        read_user(reader, arena, bodies[choice % (count + 2)]);
    } else {
        read_task(reader, arena, choice % (count + 2) == count ? FIELD_WHOLE : FIELD_PATCH);
    }
}

/* What we refuse, jansson refuses too, but for what it cannot see or we bound. */
static void check_refusal(struct slice text, const char *why)
{
    if (strstr(why, "NUL") || strstr(why, "more than") || text.len == 0 ||
        text.ptr[text.len - 1] == '\0' || memchr(text.ptr, '\0', text.len)) {
        return;
    }
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(!json_is_object(root));
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_reader reader;
    char why[JSON_READER_WHY];
    if (size == 0) {
        return 0;
    }
    struct arena *arena = arena_create(ARENA_MOST);
    char *body = malloc(size); /* of exactly this length, so that ASan sees a read behind it */
    if (!arena || !body) {
        abort();
    }
    memcpy(body, data + 1, size - 1);
    const struct slice text = {body, size - 1};
    if (json_reader_init(&reader, text, why) == JSON_READ_OK) {
        uint8_t digest[JSON_READER_DIGEST];
        json_reader_digest(&reader, digest);
        read_body(&reader, arena, data[0]);
    } else {
        assert(memchr(why, '\0', sizeof why) && utf8_valid(slice_of(why)));
        /* Whatever the scan lets through, the parser takes, but for a name that stands twice. */
        assert(strcmp(why, "The body is not valid JSON.") != 0);
        check_refusal(text, why);
    }
    json_reader_finish(&reader);
    free(body);
    arena_destroy(&arena);
    return 0;
}
