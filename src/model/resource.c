// SPDX-License-Identifier: MIT
#include "model/resource.h"

#include <pthread.h>
#include <stddef.h>

#include "base/fold.h"
#include "model/field_errors.h"
#include "model/field_json.h"
#include "model/position.h"

#define JSON_MEMBER_MOST 128  /* bytes: name, punctuation, and what is not a text */
#define ITEM_SIZE_MOST   1024 /* bytes of the struct of any resource */

unsigned resource_index(const struct resource *resource)
{
    unsigned i = 0;
    while (i < resource_count && resources[i] != resource) {
        i++;
    }
    assert(i < resource_count && resource_count <= RESOURCES_MOST);
    return i;
}

const struct resource *resource_named(struct slice name)
{
    assert(name.ptr);
    for (unsigned i = 0; i < resource_count; i++) {
        if (slice_eq(resources[i]->name, name)) {
            return resources[i];
        }
    }
    return NULL;
}

const struct resource *resource_of_kind(int kind)
{
    for (unsigned i = 0; i < resource_count; i++) {
        if (resources[i]->kind == kind) {
            return resources[i];
        }
    }
    return NULL;
}

const struct field *resource_field(const struct resource *resource, struct slice name)
{
    assert(resource);
    return field_named(resource->fields, resource->count, name);
}

/* ---- what is made once ---- */

/* A new item, and its members as JSON: the value of `fields[i]` is `text` from begins[i] to
 * ends[i], and between two stand a comma and a name. Most members of most items have their default,
 * so that what follows each other of those is written at once: three quarters of the time of an
 * answer. */
static struct defaults {
    max_align_t item[ITEM_SIZE_MOST / sizeof(max_align_t)];
    struct buffer text;
    uint32_t begins[RESOURCE_FIELDS_MOST];
    uint32_t ends[RESOURCE_FIELDS_MOST];
    struct field stored[RESOURCE_FIELDS_MOST]; /* the members as resource_decode takes them */
    unsigned settable;
} defaults_of[RESOURCES_MOST];

static void make_item(const struct resource *resource, void *item)
{
    assert(resource->size <= ITEM_SIZE_MOST);
    memset(item, 0, resource->size);
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if (field_is_null_at_first(field) || field->initial != 0) {
            field_set_default(field, item);
        }
    }
}

static void make_text(const struct resource *resource, struct defaults *defaults)
{
    struct json_writer w;
    const unsigned plain = field_defaults(resource->fields, resource->count, defaults->item);
    buffer_init(&defaults->text, resource->count * JSON_MEMBER_MOST);
    for (size_t i = 0; i < resource->count; i++) {
        buffer_add_text(&defaults->text, ",\"");
        buffer_add(&defaults->text, resource->fields[i].name);
        buffer_add_text(&defaults->text, "\":");
        defaults->begins[i] = (uint32_t)defaults->text.len;
        json_writer_init(&w, &defaults->text);
        if (plain & 1U << i) {
            field_write_value(&resource->fields[i], defaults->item, &w);
        }
        defaults->ends[i] = (uint32_t)defaults->text.len;
    }
}

static void make_stored(const struct resource *resource, struct defaults *defaults)
{
    assert(resource->count <= RESOURCE_FIELDS_MOST);
    for (size_t i = 0; i < resource->count; i++) {
        struct field *field = &defaults->stored[i];
        *field = resource->fields[i];
        field->flags &= ~(unsigned)(FIELD_READ_ONLY | FIELD_NFC | FIELD_LOWER | FIELD_ZONE |
                                    FIELD_NOT_EMPTY | FIELD_NOT_BLANK);
        field->flags |= FIELD_MULTILINE;
        field->wrong = NULL;
        field->bit = 1U << i;
    }
}

static unsigned find_settable(const struct resource *resource)
{
    unsigned set = 0;
    for (size_t i = 0; i < resource->count; i++) {
        set |= resource->fields[i].bit;
        assert(resource->fields[i].bit == 0 || resource->fields[i].bit == 1U << i);
    }
    return set;
}

static void make_defaults(void)
{
    for (unsigned k = 0; k < resource_count; k++) {
        defaults_of[k].settable = find_settable(resources[k]);
        make_stored(resources[k], &defaults_of[k]);
        make_item(resources[k], defaults_of[k].item);
        make_text(resources[k], &defaults_of[k]);
    }
}

/* NULL: one that is not in `resources`. */
static const struct defaults *get_defaults(const struct resource *resource)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_defaults);
    for (unsigned k = 0; k < resource_count; k++) {
        if (resources[k] == resource) {
            return &defaults_of[k];
        }
    }
    return NULL;
}

/* ---- items ---- */

void resource_clear(const struct resource *resource, void *item)
{
    const struct defaults *defaults = get_defaults(resource);
    assert(item);
    if (defaults) {
        memcpy(item, defaults->item, resource->size);
    } else {
        make_item(resource, item);
    }
}

/* Byte for byte: what is not may still be the same, but most members of two items are that. */
static bool is_untouched(const struct field *field, const void *a, const void *b)
{
    static const size_t sizes[] = {
        [FIELD_TEXT] = sizeof(struct slice),  [FIELD_CHOICE] = sizeof(unsigned),
        [FIELD_BOOL] = sizeof(unsigned),      [FIELD_UUID] = sizeof(struct uuid),
        [FIELD_TIME] = sizeof(int64_t),       [FIELD_NUMBER] = sizeof(int64_t),
        [FIELD_WHEN] = sizeof(int64_t),       [FIELD_STRINGS] = sizeof(struct slice),
        [FIELD_UUIDS] = sizeof(struct slice), [FIELD_MAP] = sizeof(struct slice),
    };
    const size_t at = field->at;
    return memcmp((const char *)a + at, (const char *)b + at, sizes[field->type]) == 0;
}

static bool is_same(const struct field *field, const void *a, const void *b)
{
    if (is_untouched(field, a, b)) {
        return true;
    }
    const struct field_value x = field_get(field, a);
    const struct field_value y = field_get(field, b);
    return field_value_eq(field, &x, &y);
}

unsigned resource_apply(const struct resource *resource, void *item, const void *values,
                        unsigned set)
{
    unsigned differ = 0;
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if ((set & 1U << i) == 0 || is_untouched(field, item, values)) {
            continue;
        }
        const struct field_value old = field_get(field, item);
        struct field_value value = field_get(field, values);
        value.number |= old.number & (int64_t)field->own_bits;
        if (field_value_eq(field, &old, &value)) {
            continue;
        }
        const bool done = field_set(field, item, &value);
        assert(done);
        (void)done;
        differ |= 1U << i;
    }
    return differ;
}

static unsigned maps_of(const struct resource *resource)
{
    unsigned maps = 0;
    for (size_t i = 0; i < resource->count; i++) {
        maps |= resource->fields[i].type == FIELD_MAP ? 1U << i : 0;
    }
    return maps;
}

/* The patch of one member in `values`, which becomes what comes of it. */
static enum error merge_map(const struct field *field, const void *item, void *values,
                            struct field_reading *reading)
{
    const struct slice stored = *(const struct slice *)((const char *)item + field->at);
    const struct slice patch = *(const struct slice *)((const char *)values + field->at);
    struct field_value merged = {0};
    switch (field_json_merge(field, stored, patch, reading->arena, &merged.bytes)) {
    case FIELD_MERGE_NO_MEMORY: return ERROR_OVERLOADED;
    case FIELD_MERGE_DAMAGED: return ERROR_INTERNAL_ERROR;
    case FIELD_MERGE_TOO_MANY:
        return field_complain(reading, field->name, "too_many",
                              "Must have at most %u members; with those of the patch it would have "
                              "more.",
                              field->most_items)
                   ? ERROR_NONE
                   : ERROR_OVERLOADED;
    case FIELD_MERGED: break;
    }
    const bool set = field_set(field, values, &merged);
    assert(set);
    (void)set;
    return ERROR_NONE;
}

enum error resource_merge(const struct resource *resource, const void *item, const void **values,
                          unsigned set, struct arena *arena, const struct field_errors **errors)
{
    const unsigned maps = maps_of(resource) & set;
    assert(item && *values && arena);
    *errors = NULL;
    if (maps == 0) {
        return ERROR_NONE;
    }
    struct field_reading *reading = arena_new(arena, struct field_reading);
    void *merged = arena_alloc(arena, resource->size);
    if (!reading || !merged) {
        return ERROR_OVERLOADED;
    }
    reading->arena = arena;
    memcpy(merged, *values, resource->size);
    for (size_t i = 0; i < resource->count; i++) {
        const enum error error =
            maps & 1U << i ? merge_map(&resource->fields[i], item, merged, reading) : ERROR_NONE;
        if (error != ERROR_NONE) {
            return error;
        }
    }
    *values = merged;
    *errors = reading->errors.count > 0 ? &reading->errors : NULL;
    return ERROR_NONE;
}

bool resource_put_last(const struct resource *resource, void *item, int64_t revision,
                       struct arena *arena)
{
    char room[POSITION_MOST];
    assert(item && revision > 0 && arena);
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_POSITION) {
            struct slice *position = (struct slice *)((char *)item + resource->fields[i].at);
            *position = arena_copy(arena, position_nth(revision, room));
            return position->ptr != NULL;
        }
    }
    return true;
}

unsigned resource_differ(const struct resource *resource, const void *a, const void *b)
{
    unsigned differ = 0;
    assert(a && b && a != b);
    for (size_t i = 0; i < resource->count; i++) {
        differ |= is_same(&resource->fields[i], a, b) ? 0 : 1U << i;
    }
    return differ;
}

unsigned resource_settable(const struct resource *resource)
{
    const struct defaults *defaults = get_defaults(resource);
    return defaults ? defaults->settable : find_settable(resource);
}

bool resource_derive(const struct resource *resource, const void *item, struct buffer *out,
                     struct field_value *value)
{
    assert(resource && resource->derived.ptr && item && out && value);
    buffer_init(out, 2 * FOLD_GROWTH * resource->text_most);
    resource->derive(item, out);
    *value = (struct field_value){.null = out->len == 0, .bytes = buffer_slice(out)};
    return !out->failed;
}

size_t resource_text_bytes(const struct resource *resource, const void *item)
{
    size_t bytes = 0;
    assert(item);
    for (size_t i = 0; i < resource->count; i++) {
        if (field_has_bytes(&resource->fields[i])) {
            bytes += field_get(&resource->fields[i], item).bytes.len;
        }
    }
    return bytes;
}

static void encode_all(const struct resource *resource, const void *item, struct json_writer *w)
{
    const struct defaults *defaults = get_defaults(resource);
    const struct field *fields = resource->fields;
    const bool made = defaults && !defaults->text.failed;
    const unsigned plain = made ? field_defaults(fields, resource->count, item) : 0;
    for (size_t i = 0; i < resource->count; i++) {
        size_t last = i;
        jw_name(w, fields[i].name);
        if ((plain & 1U << i) == 0) {
            field_write_value(&fields[i], item, w);
            continue;
        }
        while (last + 1 < resource->count && (plain & 1U << (last + 1))) {
            last++;
        }
        jw_raw(w, (struct slice){defaults->text.data + defaults->begins[i],
                                 defaults->ends[last] - defaults->begins[i]});
        i = last;
    }
}

void resource_encode(const struct resource *resource, const void *item, unsigned mask,
                     struct json_writer *w)
{
    assert(resource && item && w);
    jw_open_object(w);
    if (mask == RESOURCE_ALL) {
        encode_all(resource, item, w);
        jw_close_object(w);
        return;
    }
    for (size_t i = 0; i < resource->count; i++) {
        if (mask & 1U << i) {
            jw_name(w, resource->fields[i].name);
            field_write_value(&resource->fields[i], item, w);
        }
    }
    jw_close_object(w);
}

size_t resource_json_most(const struct resource *resource)
{
    assert(resource->text_most > 0 && resource->count <= RESOURCE_FIELDS_MOST);
    /* A code point takes no more than the 4 bytes that `text_most` has for it: what is escaped is
     * shorter than that. */
    return resource->text_most + resource->count * JSON_MEMBER_MOST;
}

enum error resource_decode(const struct resource *resource, struct slice json, void *values,
                           unsigned *set, struct arena *arena)
{
    char why[JSON_READER_WHY];
    struct json_reader reader = {0};
    const struct defaults *defaults = get_defaults(resource);
    assert(defaults && json.ptr && values && set && arena);
    struct field_reading reading = {.fields = defaults->stored,
                                    .count = resource->count,
                                    .mode = FIELD_SOME,
                                    .arena = arena,
                                    .input = values};
    enum error error = ERROR_OVERLOADED;
    resource_clear(resource, values);
    switch (json_reader_init(&reader, json, JSON_TOKENS, why)) {
    case JSON_READ_NO_MEMORY: break;
    case JSON_READ_INVALID: error = ERROR_INTERNAL_ERROR; break;
    case JSON_READ_OK:
        if (field_read(&reading, &reader)) {
            error = reading.errors.count > 0 ? ERROR_INTERNAL_ERROR : ERROR_NONE;
        }
        break;
    }
    json_reader_finish(&reader);
    *set = reading.set;
    return error;
}
