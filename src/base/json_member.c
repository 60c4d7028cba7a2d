// SPDX-License-Identifier: MIT
#include <assert.h>

#include <jansson.h>
#include <sodium.h>

#include "base/json_reader.h"

/* What was read, member by member. */

enum json_kind json_reader_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return JSON_KIND_OBJECT;
    case JSON_ARRAY: return JSON_KIND_ARRAY;
    case JSON_STRING: return JSON_KIND_TEXT;
    case JSON_INTEGER:
    case JSON_REAL: return JSON_KIND_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_KIND_BOOL;
    case JSON_NULL: break;
    }
    return JSON_KIND_NULL;
}

static struct json_member member_of(struct slice name, json_t *value)
{
    struct json_member member = {.name = name, .kind = json_reader_kind(value), .value = value};
    if (member.kind == JSON_KIND_TEXT) {
        member.text = (struct slice){json_string_value(value), json_string_length(value)};
    }
    return member;
}

bool json_reader_next(struct json_reader *reader, struct json_member *member)
{
    assert(reader && member);
    if (!reader->next) {
        return false;
    }
    *member = member_of(slice_of(json_object_iter_key(reader->next)),
                        json_object_iter_value(reader->next));
    reader->next = json_object_iter_next(reader->root, reader->next);
    return true;
}

struct json_reader json_member_reader(const struct json_member *object)
{
    assert(object->kind == JSON_KIND_OBJECT);
    return (struct json_reader){object->value, json_object_iter(object->value)};
}

bool json_member_next(const struct json_member *whole, struct json_parts *parts,
                      struct json_member *part)
{
    assert(parts && part && (whole->kind == JSON_KIND_ARRAY || whole->kind == JSON_KIND_OBJECT));
    if (parts->index == json_member_parts(whole)) {
        return false;
    }
    if (whole->kind == JSON_KIND_ARRAY) {
        *part = member_of((struct slice){0}, json_array_get(whole->value, parts->index));
    } else {
        parts->last = parts->index == 0 ? json_object_iter(whole->value)
                                        : json_object_iter_next(whole->value, parts->last);
        *part = member_of(slice_of(json_object_iter_key(parts->last)),
                          json_object_iter_value(parts->last));
    }
    parts->index++;
    return true;
}

size_t json_member_parts(const struct json_member *whole)
{
    assert(whole->kind == JSON_KIND_ARRAY || whole->kind == JSON_KIND_OBJECT);
    return whole->kind == JSON_KIND_ARRAY ? json_array_size(whole->value)
                                          : json_object_size(whole->value);
}

bool json_member_i64(const struct json_member *member, int64_t *number)
{
    assert(member->kind == JSON_KIND_NUMBER && number);
    return json_whole_number(member->value, number);
}

bool json_member_bool(const struct json_member *member)
{
    assert(member->kind == JSON_KIND_BOOL);
    return json_is_true(member->value);
}

void json_reader_wipe(const struct json_member *member)
{
    assert(member);
    if (member->kind == JSON_KIND_TEXT) { /* the reader's own memory; only its accessor is const */
        sodium_memzero((void *)(uintptr_t)json_string_value(member->value), member->text.len);
    }
}
