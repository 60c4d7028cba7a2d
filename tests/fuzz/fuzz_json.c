// SPDX-License-Identifier: MIT
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "errors.h"
#include "model/field_json.h"
#include "model/resource.h"
#include "model/user_fields.h"

/* The first byte of the input chooses the body that is read and how; the rest is the body. What was
 * read without an error must keep the rules of its fields. */

#define ARENA_MOST ((size_t)4 << 20)

/* What a text holds is in order and within its bounds, and reading it again changes nothing. */
static void check_canonical(const struct field *field, struct slice text)
{
    struct buffer body;
    struct json_reader reader;
    char why[JSON_READER_WHY];
    struct slice again = {0};
    struct field one = *field;
    struct arena *arena = arena_create(ARENA_MOST);
    one.at = 0;
    assert(arena && text.len <= field_json_most(field));
    buffer_init(&body, text.len + 64 + field->name.len);
    buffer_add_format(&body, "{\"%s\":", field->name.ptr);
    buffer_add(&body, text);
    buffer_add_char(&body, '}');
    assert(!body.failed);
    struct field_reading reading = {.fields = &one, .count = 1, .arena = arena, .input = &again};
    if (json_reader_init(&reader, buffer_slice(&body), JSON_TOKENS, why) != JSON_READ_OK ||
        !field_read(&reading, &reader))
        abort();
    assert(reading.errors.count == 0 && slice_eq(again, text));
    json_reader_finish(&reader);
    buffer_finish(&body);
    arena_destroy(&arena);
}

/* Every member keeps the rules of its field, and what is written is what was read. */
static void check_item(const struct resource *resource, const void *item)
{
    assert(resource_text_bytes(resource, item) <= resource->text_most);
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        const struct field_value value = field_get(field, item);
        const bool nullable = (field->flags & FIELD_NULLABLE) != 0;
        if (field->type == FIELD_TEXT && !value.null) {
            const struct text_facts facts = text_look(value.bytes);
            assert(facts.code_points <= field->most && !facts.other_control);
            assert(!facts.line_control || (field->flags & FIELD_MULTILINE));
            assert(!facts.blank || !(field->flags & FIELD_NOT_BLANK));
        } else if (field->type == FIELD_CHOICE && !value.null) {
            assert(value.number >= 0 && value.number < field->choice_count);
        } else if (field->type == FIELD_BOOL && !value.null) {
            assert(value.number == 0 || value.number == 1);
        } else if (field_is_json(field->type)) {
            check_canonical(field, *(const struct slice *)((const char *)item + field->at));
        } else if (field->type == FIELD_NUMBER && !value.null && field->most_number != 0) {
            assert(value.number >= field->least_number && value.number <= field->most_number);
        }
        assert(!value.null || nullable || field_is_json(field->type) ||
               (field->flags & FIELD_POSITION));
    }
}

static void check_json(const struct resource *resource, const void *item)
{
    struct json_writer w;
    struct buffer text;
    buffer_init(&text, resource_json_most(resource));
    json_writer_init(&w, &text);
    resource_encode(resource, item, RESOURCE_ALL, &w);
    assert(!text.failed);
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(root) && json_object_size(root) == resource->count);
    json_decref(root);
    buffer_finish(&text);
}

static void check_user(const struct user_input *input)
{
    assert(input->name.len <= 4 * USER_NAME_MOST && input->email.len <= USER_EMAIL_MOST);
    assert(input->password.len <= USER_PASSWORD_MOST);
}

/* A patch that was applied changes nothing when it comes again. */
static void apply_twice(const struct resource *resource, struct arena *arena, const void *patch,
                        unsigned set)
{
    void *item = arena_alloc(arena, resource->size);
    if (!item)
        abort();
    resource_clear(resource, item);
    for (unsigned times = 0; times < 2; times++) {
        const struct field_errors *errors = NULL;
        const void *values = patch;
        if (resource_merge(resource, item, &values, set, arena, &errors) != ERROR_NONE)
            return;
        assert(!errors); /* what alone is too much is refused before */
        const unsigned differ = resource_apply(resource, item, values, set);
        assert(times == 0 || differ == 0);
    }
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if (field_is_json(field->type))
            check_canonical(field, *(const struct slice *)((const char *)item + field->at));
    }
}

static void read_item(struct json_reader *reader, struct arena *arena,
                      const struct resource *resource, enum field_mode mode)
{
    void *item = arena_alloc(arena, resource->size);
    if (!item)
        abort();
    resource_clear(resource, item);
    struct field_reading reading = {.fields = resource->fields,
                                    .count = resource->count,
                                    .mode = mode,
                                    .arena = arena,
                                    .input = item};
    if (!field_read(&reading, reader))
        return;
    check_errors(&reading.errors);
    if (reading.errors.count > 0)
        return;
    if (mode == FIELD_PATCH)
        apply_twice(resource, arena, item, reading.set);
    if (mode == FIELD_WHOLE) {
        check_item(resource, item);
        check_json(resource, item);
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
    const unsigned which = choice % (count + 2 * resource_count);
    if (which < count)
        read_user(reader, arena, bodies[which]);
    else
        read_item(reader, arena, resources[(which - count) / 2],
                  (which - count) % 2 == 0 ? FIELD_WHOLE : FIELD_PATCH);
}

/* Whatever stands in a database where the text of a map should: it is seen, or is one. */
static void merge_into(struct slice stored, struct arena *arena)
{
    static const struct field map = {
        .name = FIELD_NAME("map"), .type = FIELD_MAP, .most = 9, .most_items = 50, .most_name = 9};
    struct slice merged = {0};
    if (field_json_merge(&map, stored, SLICE("{\"m\":\"1\",\"n\":null}"), arena, &merged) ==
        FIELD_MERGED)
        assert(merged.ptr[0] == '{' && merged.ptr[merged.len - 1] == '}');
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
    char *body = malloc(size); /* of exactly this length, so that ASan sees a read after it */
    if (!arena || !body) {
        abort();
    }
    memcpy(body, data + 1, size - 1);
    const struct slice text = {body, size - 1};
    merge_into(text, arena);
    const enum json_read result = json_reader_init(&reader, text, JSON_TOKENS, why);
    /* Whatever the scan lets through, the parser takes, but for a name that stands twice: what else
     * it refuses, it has no memory for. */
    assert(result != JSON_READ_NO_MEMORY);
    if (result == JSON_READ_OK) {
        uint8_t digest[JSON_READER_DIGEST];
        json_reader_digest(&reader, digest);
        read_body(&reader, arena, data[0]);
    } else {
        assert(memchr(why, '\0', sizeof why) && utf8_valid(slice_of(why)));
        check_refusal(text, why);
    }
    json_reader_finish(&reader);
    free(body);
    arena_destroy(&arena);
    return 0;
}
