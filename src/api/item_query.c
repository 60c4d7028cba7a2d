// SPDX-License-Identifier: MIT
#include "api/item_query.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "api/cursor.h"
#include "model/when.h"

#define DETAIL_MOST (FIELD_NAMES_MOST + 64)

/* ---- the names that there are ---- */

#define NAME_MOST 64 /* of a filter: its name, `[]` where it takes several values, and a NUL */

/* Of each resource; made once. */
static struct names {
    const char *list[STORE_TERMS_MOST + 5]; /* ended by NULL */
    char filters[STORE_TERMS_MOST][NAME_MOST];
} names_of[RESOURCES_MOST];

static void make_names(void)
{
    assert(resource_count <= RESOURCES_MOST);
    for (unsigned k = 0; k < resource_count; k++) {
        struct names *names = &names_of[k];
        unsigned count = 0;
        unsigned filters = 0;
        names->list[count++] = "limit";
        names->list[count++] = "cursor";
        for (size_t i = 0; i < resources[k]->count; i++) {
            const struct field *field = &resources[k]->fields[i];
            if (field->flags & FIELD_FILTERABLE) {
                assert(field->type == FIELD_TEXT || !field_is_text(field->type));
                assert(filters < STORE_TERMS_MOST && field->name.len + 2 < NAME_MOST);
                (void)snprintf(names->filters[filters], NAME_MOST, "%s%s", field->name.ptr,
                               field_is_choice(field->type) ? "[]" : "");
                names->list[count++] = names->filters[filters++];
            }
        }
        names->list[count++] = "sort";
        names->list[count++] = "include";
    }
}

/* ---- values ---- */

struct reading {
    const struct http_query *query;
    struct arena *arena;
    struct store_item_list *list;
    struct http_problem_errors *errors;
};

static void complain(struct reading *r, const char *parameter, const char *code, const char *detail)
{
    const struct slice copy = arena_copy(r->arena, slice_of(detail));
    http_problem_errors_add(
        r->errors, (struct http_problem_error){.parameter = slice_of(parameter),
                                               .code = code,
                                               .detail = copy.ptr ? copy.ptr : "Is wrong."});
}

static void read_limit(struct reading *r)
{
    const struct slice value = http_query_get(r->query, "limit");
    uint64_t limit = ITEM_QUERY_LIMIT;
    if (value.ptr && !slice_to_u64(value, UINT64_MAX, &limit)) {
        complain(r, "limit", "invalid", "Must be a number from 1 to 100.");
    } else if (limit < 1 || limit > STORE_LIMIT_MOST) {
        complain(r, "limit", "out_of_range", "Must be from 1 to 100.");
    } else {
        r->list->limit = (unsigned)limit;
    }
}

/* Values with commas between them; all that there are is no filter. */
static void read_choices(struct reading *r, const struct field *field, struct slice value)
{
    const unsigned count = field->type == FIELD_BOOL ? 2 : field->choice_count;
    struct slice rest = value;
    uint64_t choices = 0;
    char detail[DETAIL_MOST];
    while (rest.ptr) {
        struct uuid id;
        struct field_value choice;
        if (!field_parse(field, slice_next(&rest, ','), &id, &choice)) {
            char names[FIELD_NAMES_MOST] = "";
            if (field->type == FIELD_CHOICE) {
                field_add_choices(field, names);
            }
            (void)snprintf(detail, sizeof detail,
                           "Must be one or more of: %s; separated by commas.",
                           field->type == FIELD_CHOICE ? names : "true, false");
            complain(r, field->name.ptr, "not_allowed", detail);
            return;
        }
        if (choices & UINT64_C(1) << choice.number) {
            (void)snprintf(detail, sizeof detail, "Must name a %s only once.", field->name.ptr);
            complain(r, field->name.ptr, "repeated", detail);
            return;
        }
        choices |= UINT64_C(1) << choice.number;
    }
    if (choices != (UINT64_C(1) << count) - 1 || (field->flags & FIELD_NULLABLE)) {
        r->list->terms[r->list->term_count++] =
            (struct store_term){.field = field, .choices = choices};
    }
}

/* In a query a `+` is a blank, so the offset of an instant may begin with one. */
static bool parse_when(struct slice text, struct field_value *value)
{
    struct when when;
    if (!when_read_query(text, &when)) {
        return false;
    }
    *value = (struct field_value){.number = when_pack(&when)};
    return true;
}

/* One value; `null` stands for none. */
static void read_equal(struct reading *r, const struct field *field, struct slice value)
{
    struct store_term term = {.field = field};
    struct uuid *id = arena_new(r->arena, struct uuid);
    if ((field->flags & FIELD_NULLABLE) && slice_eq(value, SLICE("null"))) {
        term.value.null = true;
    } else if (field->type == FIELD_WHEN ? !parse_when(value, &term.value)
                                         : !id || !field_parse(field, value, id, &term.value)) {
        complain(r, field->name.ptr, "invalid",
                 field->type == FIELD_UUID   ? "Must be a UUID."
                 : field->type == FIELD_TIME ? "Must be a time as in RFC 3339."
                 : field->type == FIELD_WHEN ? "Must be a date, or a time as in RFC 3339."
                                             : "Must be a whole number in the member's range.");
        return;
    }
    r->list->terms[r->list->term_count++] = term;
}

static void read_filters(struct reading *r)
{
    const struct resource *resource = r->list->resource;
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if (!(field->flags & FIELD_FILTERABLE)) {
            continue;
        }
        const struct slice value = http_query_get(r->query, field->name.ptr);
        if (value.ptr && field_is_choice(field->type)) {
            read_choices(r, field, value);
        } else if (value.ptr) {
            read_equal(r, field, value);
        }
    }
}

static void read_sort(struct reading *r)
{
    const struct resource *resource = r->list->resource;
    struct slice name = http_query_get(r->query, "sort");
    name = name.ptr ? name : resource->order.ptr ? resource->order : SLICE("-created_at");
    r->list->descending = slice_starts(name, SLICE("-"));
    if (r->list->descending) {
        name = (struct slice){name.ptr + 1, name.len - 1};
    }
    const struct field *field = resource_field(resource, name);
    if (field && (field->flags & FIELD_SORTABLE)) {
        r->list->sort = field;
        return;
    }
    char names[FIELD_NAMES_MOST] = "";
    char detail[DETAIL_MOST];
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_SORTABLE) {
            field_add_name(resource->fields[i].name, names);
        }
    }
    (void)snprintf(detail, sizeof detail,
                   "Must be one of: %s; with - in front to turn the order round.", names);
    complain(r, "sort", "not_allowed", detail);
}

/* Last of all: a cursor is compared with the order and the filter. */
static void read_cursor(struct reading *r, const struct keys *keys, struct uuid space)
{
    const struct slice value = http_query_get(r->query, "cursor");
    if (!value.ptr) {
        return;
    }
    const enum cursor_verdict verdict = cursor_read(keys, space, value, r->arena, r->list);
    if (verdict != CURSOR_GOOD) {
        complain(r, "cursor", "invalid",
                 verdict == CURSOR_BAD
                     ? "Must be a next_cursor of this account. Begin again without one."
                     : "Belongs to another filter or order: send the filter and sort that it was "
                       "made with.");
    }
}

/* ---- the key of the cache ---- */

struct key_begin {
    uint32_t kind;
    uint32_t limit;
    uint16_t sort; /* places of fields in the resource */
    uint8_t descending;
    uint8_t with_total;
};

struct key_term {
    uint64_t choices;
    int64_t number;
    uint32_t bytes; /* that follow */
    uint16_t field;
    uint16_t null;
};
static_assert(sizeof(struct key_begin) == 12 && sizeof(struct key_term) == 24, "has no padding");

static struct slice make_key(const struct reading *r)
{
    const struct store_item_list *list = r->list;
    const struct field *fields = list->resource->fields;
    const struct slice cursor = http_query_get(r->query, "cursor");
    const struct key_begin begin = {(uint32_t)list->resource->kind, list->limit,
                                    (uint16_t)(list->sort - fields), list->descending,
                                    list->with_total};
    size_t len = sizeof begin + list->term_count * sizeof(struct key_term) + cursor.len;
    for (unsigned i = 0; i < list->term_count; i++)
        len += list->terms[i].value.bytes.len;
    char *key = arena_alloc(r->arena, len);
    char *at = key ? mempcpy(key, &begin, sizeof begin) : NULL;
    for (unsigned i = 0; key && i < list->term_count; i++) {
        const struct field_value *value = &list->terms[i].value;
        const struct key_term term = {list->terms[i].choices, value->number,
                                      (uint32_t)value->bytes.len,
                                      (uint16_t)(list->terms[i].field - fields), value->null};
        at = mempcpy(at, &term, sizeof term);
        if (value->bytes.len > 0)
            at = mempcpy(at, value->bytes.ptr, value->bytes.len);
    }
    if (key && cursor.len > 0)
        memcpy(at, cursor.ptr, cursor.len);
    return (struct slice){key, key ? len : 0};
}

bool item_query_read(const struct http_request *request, const struct keys *keys,
                     struct uuid cursor_space, struct arena *arena, struct item_query *query,
                     struct store_item_list *list, struct http_problem_errors *errors)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct reading r = {&query->query, arena, list, errors};
    assert(list->resource && list->term_count == 0);
    (void)pthread_once(&once, make_names);
    query->names = names_of[resource_index(list->resource)].list;
    if (!http_query_parse(request, query->names, arena, &query->query, errors) &&
        errors->count == 0) {
        return false;
    }
    read_limit(&r);
    read_filters(&r);
    read_sort(&r);
    const struct slice include = http_query_get(&query->query, "include");
    list->with_total = include.ptr != NULL;
    if (include.ptr && !slice_eq(include, SLICE("total"))) {
        complain(&r, "include", "not_allowed", "Must be: total.");
    }
    if (errors->count == 0) {
        read_cursor(&r, keys, cursor_space);
    }
    if (errors->count > 0) {
        return true;
    }
    query->key = make_key(&r);
    return query->key.ptr != NULL;
}

/* Every value was checked; what is not a text needs no escaping, and texts are escaped. */
void item_query_add_next(const struct item_query *query, struct slice cursor, struct buffer *out)
{
    for (size_t i = 0; query->names[i]; i++) {
        const struct slice value = http_query_get(&query->query, query->names[i]);
        if (!value.ptr || strcmp(query->names[i], "cursor") == 0) {
            continue;
        }
        buffer_add(out, http_query_name(query->names[i]));
        buffer_add_char(out, '=');
        http_query_escape(value, out);
        buffer_add_char(out, '&');
    }
    buffer_add_text(out, "cursor=");
    buffer_add(out, cursor);
}
