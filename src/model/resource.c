// SPDX-License-Identifier: MIT
#include "model/resource.h"

#define JSON_MEMBER_MOST 128 /* bytes: name, punctuation, and what is not a text */

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

const struct field *resource_field(const struct resource *resource, struct slice name)
{
    assert(resource);
    return field_named(resource->fields, resource->count, name);
}

void resource_clear(const struct resource *resource, void *item)
{
    static const struct field_value null = {.null = true};
    memset(item, 0, resource->size);
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_NULLABLE) {
            const bool set = field_set(&resource->fields[i], item, &null);
            assert(set);
            (void)set;
        }
    }
}

static bool is_same(const struct field *field, const void *a, const void *b)
{
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
        if ((set & 1U << i) == 0 || is_same(field, item, values)) {
            continue;
        }
        const struct field_value value = field_get(field, values);
        const bool done = field_set(field, item, &value);
        assert(done);
        (void)done;
        differ |= 1U << i;
    }
    return differ;
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
    unsigned set = 0;
    for (size_t i = 0; i < resource->count; i++) {
        set |= resource->fields[i].bit;
        assert(resource->fields[i].bit == 0 || resource->fields[i].bit == 1U << i);
    }
    return set;
}

size_t resource_text_bytes(const struct resource *resource, const void *item)
{
    size_t bytes = 0;
    assert(item);
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].type == FIELD_TEXT) {
            bytes += field_get(&resource->fields[i], item).bytes.len;
        }
    }
    return bytes;
}

void resource_encode(const struct resource *resource, const void *item, unsigned mask,
                     struct json_writer *w)
{
    assert(resource && item && w);
    jw_open_object(w);
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
