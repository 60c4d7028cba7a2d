// SPDX-License-Identifier: MIT
#include "api/item_filter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fold.h"
#include "model/days.h"
#include "model/when.h"

#define DETAIL_MOST (FIELD_NAMES_MOST + 96)

void item_complain(struct item_reading *r, const char *parameter, const char *code,
                   const char *detail)
{
    const struct slice copy = arena_copy(r->arena, slice_of(detail));
    http_problem_errors_add(
        r->errors, (struct http_problem_error){.parameter = slice_of(parameter),
                                               .code = code,
                                               .detail = copy.ptr ? copy.ptr : "Is wrong."});
}

static void add_term(struct item_reading *r, struct store_term term)
{
    assert(r->list->term_count < STORE_TERMS_MOST);
    r->list->terms[r->list->term_count++] = term;
}

/* What was written is kept for the list. False without memory. */
static bool keep(struct item_reading *r, struct buffer *bytes, struct slice *kept)
{
    *kept = bytes->failed ? (struct slice){0} : arena_copy(r->arena, buffer_slice(bytes));
    buffer_finish(bytes);
    r->failed |= !kept->ptr;
    return kept->ptr != NULL;
}

/* ---- values of members ---- */

/* Values with commas between them; all that there are is no filter. */
static void read_choices(struct item_reading *r, const struct field *field, struct slice value)
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
            item_complain(r, field->name.ptr, "not_allowed", detail);
            return;
        }
        if (choices & UINT64_C(1) << choice.number) {
            (void)snprintf(detail, sizeof detail, "Must name a %s only once.", field->name.ptr);
            item_complain(r, field->name.ptr, "repeated", detail);
            return;
        }
        choices |= UINT64_C(1) << choice.number;
    }
    if (choices != (UINT64_C(1) << count) - 1 || (field->flags & FIELD_NULLABLE)) {
        add_term(r, (struct store_term){.field = field, .choices = choices});
    }
}

/* One value; `null` stands for none. */
static void read_equal(struct item_reading *r, const struct field *field, struct slice value)
{
    struct store_term term = {.field = field};
    struct uuid *id = arena_new(r->arena, struct uuid);
    struct when when;
    r->failed |= !id;
    if ((field->flags & FIELD_NULLABLE) && slice_eq(value, SLICE("null"))) {
        term.value.null = true;
    } else if (field->type == FIELD_WHEN && when_read_query(value, &when)) {
        term.value.number = when_pack(&when);
    } else if (field->type == FIELD_WHEN || !id || !field_parse(field, value, id, &term.value)) {
        item_complain(r, field->name.ptr, "invalid",
                      field->type == FIELD_UUID   ? "Must be a UUID."
                      : field->type == FIELD_TIME ? "Must be a time as in RFC 3339."
                      : field->type == FIELD_WHEN
                          ? "Must be a date, or a time as in RFC 3339."
                          : "Must be a whole number in the member's range.");
        return;
    }
    add_term(r, term);
}

/* ---- filters of the resource's own ---- */

/* Too many values? Says so. */
static bool is_too_many(struct item_reading *r, const char *name, struct slice value, char between)
{
    size_t count = 1;
    for (size_t i = 0; i < value.len; i++) {
        count += value.ptr[i] == between;
    }
    if (count > ITEM_QUERY_VALUES_MOST) {
        item_complain(r, name, "too_many", "May have at most 100 values.");
    }
    return count > ITEM_QUERY_VALUES_MOST;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

/* Ids in their order, each once, or the word for those that have none. */
static void read_ids(struct item_reading *r, const struct resource_filter *filter,
                     struct slice value)
{
    struct store_term term = {.filter = LIST_IN, .field = filter->field};
    struct uuid *ids = arena_alloc(r->arena, ITEM_QUERY_VALUES_MOST * sizeof *ids);
    struct slice rest = value;
    size_t count = 0;
    size_t kept = 0;
    r->failed |= !ids;
    if (!ids || is_too_many(r, filter->name.ptr, value, ',')) {
        return;
    }
    while (rest.ptr) {
        const struct slice one = slice_next(&rest, ',');
        struct field_value parsed;
        if (slice_eq(one, filter->no)) {
            term.or_null = true;
        } else if (field_parse(filter->field, one, &ids[count], &parsed)) {
            count++;
        } else {
            char detail[DETAIL_MOST];
            (void)snprintf(detail, sizeof detail,
                           "Must be one or more UUIDs, or %s; separated by commas.",
                           filter->no.ptr);
            item_complain(r, filter->name.ptr, "invalid", detail);
            return;
        }
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !uuid_eq(ids[kept - 1], ids[i])) {
            ids[kept++] = ids[i];
        }
    }
    term.list = (struct slice){(const char *)ids, kept * sizeof *ids};
    add_term(r, term);
}

static int compare_texts(const void *a, const void *b)
{
    const struct slice *x = a;
    const struct slice *y = b;
    const int difference = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);
    return difference != 0 ? difference : (x->len > y->len) - (x->len < y->len);
}

/* Texts in their order, each once, as a JSON array. */
static void read_strings(struct item_reading *r, const struct resource_filter *filter,
                         struct slice value)
{
    struct store_term term = {.filter = filter->filter, .field = filter->field};
    struct slice *texts = arena_alloc(r->arena, ITEM_QUERY_VALUES_MOST * sizeof *texts);
    struct slice rest = value;
    size_t count = 0;
    struct buffer json;
    struct json_writer w;
    r->failed |= !texts;
    if (!texts || is_too_many(r, filter->name.ptr, value, HTTP_QUERY_BREAK)) {
        return;
    }
    while (rest.ptr) {
        texts[count] = slice_next(&rest, HTTP_QUERY_BREAK);
        if (texts[count++].len == 0) {
            item_complain(r, filter->name.ptr, "invalid",
                          "Must be one or more labels, none of them empty; separated by commas (a "
                          "comma in a label is %2C).");
            return;
        }
    }
    qsort(texts, count, sizeof *texts, compare_texts);
    buffer_init(&json, 6 * value.len + 4 * ITEM_QUERY_VALUES_MOST);
    json_writer_init(&w, &json);
    jw_open_array(&w);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !slice_eq(texts[i - 1], texts[i])) {
            jw_text(&w, texts[i]);
        }
    }
    jw_close_array(&w);
    if (keep(r, &json, &term.list)) {
        add_term(r, term);
    }
}

/* Does a date stand at the end of its day? */
static bool ends(const struct item_reading *r, const struct field *field)
{
    const struct resource *resource = r->list->resource;
    for (size_t i = 0; i < resource->order_count; i++) {
        if (resource->orders[i].field == field) {
            return resource->orders[i].order == LIST_BY_DUE;
        }
    }
    return false;
}

/* A moment in time: an instant, or the begin of a date's day. */
static void read_moment(struct item_reading *r, const struct resource_filter *filter,
                        struct slice value)
{
    struct store_term term = {.filter = filter->filter, .field = filter->field};
    struct when when;
    if (!when_read_query(value, &when)) {
        item_complain(r, filter->name.ptr, "invalid",
                      "Must be a date, as 2026-12-01, or a time as in RFC 3339, of the years 1970 "
                      "to 2999.");
        return;
    }
    if (!r->zone) {
        return;
    }
    const int64_t ms = when_begins(&when, r->zone);
    if (filter->field->type == FIELD_TIME) {
        term.limit.even = ms;
    } else {
        const struct days_limit limit =
            ends(r, filter->field) ? days_due_limit(r->zone, ms) : days_start_limit(r->zone, ms);
        term.limit = days_pack(&limit);
    }
    add_term(r, term);
}

static void read_wanted(struct item_reading *r, const struct resource_filter *filter,
                        struct slice value)
{
    struct store_term term = {.filter = filter->filter, .field = filter->field};
    struct days_limit limit = {0};
    term.wanted = slice_eq(value, filter->yes);
    if (!term.wanted && !slice_eq(value, filter->no)) {
        char detail[DETAIL_MOST];
        (void)snprintf(detail, sizeof detail, "Must be %s or %s.", filter->no.ptr, filter->yes.ptr);
        item_complain(r, filter->name.ptr, "not_allowed", detail);
        return;
    }
    if (r->zone && filter->filter == LIST_OVERDUE) {
        limit = days_due_limit(r->zone, r->clock);
        term.limit = days_pack(&limit);
    } else if (r->zone && filter->filter == LIST_READY) {
        /* It has begun when it begins now. */
        limit = days_start_limit(r->zone, r->clock + 1);
        term.limit = days_pack(&limit);
    }
    add_term(r, term);
}

static void read_search(struct item_reading *r, const struct resource_filter *filter,
                        struct slice value)
{
    struct store_term term = {.filter = LIST_SEARCH};
    struct fold_terms *terms = arena_new(r->arena, struct fold_terms);
    struct buffer joined;
    if (!terms) {
        r->failed = true;
        return;
    }
    switch (fold_terms_read(r->arena, value, terms)) {
    case FOLD_TERMS_READ: break;
    case FOLD_TERMS_LONG:
        item_complain(r, filter->name.ptr, "too_long", "Must have at most 200 characters.");
        return;
    case FOLD_TERMS_NONE:
        item_complain(r, filter->name.ptr, "invalid",
                      "Must have a word to look for: more than blanks, quotes and accents.");
        return;
    case FOLD_TERMS_NO_MEMORY: r->failed = true; return;
    }
    buffer_init(&joined, (size_t)1 << 20);
    for (unsigned i = 0; i < terms->count; i++) {
        if (i > 0) {
            buffer_add_char(&joined, FOLD_BREAK);
        }
        buffer_add(&joined, terms->list[i]);
    }
    if (keep(r, &joined, &term.list)) {
        add_term(r, term);
    }
}

bool item_filter_is_zoned(const struct resource_filter *filter)
{
    return filter->filter == LIST_OVERDUE || filter->filter == LIST_READY ||
           filter->filter == LIST_BEFORE || filter->filter == LIST_FROM;
}

void item_read_filters(struct item_reading *r)
{
    const struct resource *resource = r->list->resource;
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        const struct slice value = field->flags & FIELD_FILTERABLE
                                       ? http_query_get(r->query, field->name)
                                       : (struct slice){0};
        if (value.ptr && field_is_choice(field->type)) {
            read_choices(r, field, value);
        } else if (value.ptr) {
            read_equal(r, field, value);
        }
    }
    for (size_t i = 0; i < resource->filter_count; i++) {
        const struct resource_filter *filter = &resource->filters[i];
        const struct slice value = http_query_get(r->query, filter->name);
        if (!value.ptr) {
            continue;
        }
        switch (filter->filter) {
        case LIST_IS: assert(false && "those are members that are FIELD_FILTERABLE"); break;
        case LIST_IN: read_ids(r, filter, value); break;
        case LIST_BEFORE:
        case LIST_FROM: read_moment(r, filter, value); break;
        case LIST_ANY_OF:
        case LIST_ALL_OF: read_strings(r, filter, value); break;
        case LIST_SEARCH: read_search(r, filter, value); break;
        case LIST_THERE:
        case LIST_OVERDUE:
        case LIST_READY:
        case LIST_BLOCKED:
        case LIST_ARCHIVED: read_wanted(r, filter, value); break;
        }
    }
}

/* ---- orders ---- */

/* Finds what a name orders by; false: it is none. */
static bool find_order(const struct resource *resource, struct slice name,
                       struct store_order *order)
{
    for (size_t i = 0; i < resource->order_count; i++) {
        if (slice_eq(resource->orders[i].name, name)) {
            order->field = resource->orders[i].field;
            order->order = resource->orders[i].order;
            return true;
        }
    }
    order->field = resource_field(resource, name);
    order->order = LIST_BY_VALUE;
    return order->field && (order->field->flags & FIELD_SORTABLE);
}

bool item_order_is_zoned(enum list_order order)
{
    return order == LIST_BY_START || order == LIST_BY_DUE;
}

static void complain_of_sort(struct item_reading *r)
{
    const struct resource *resource = r->list->resource;
    char names[FIELD_NAMES_MOST] = "";
    char detail[DETAIL_MOST];
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->fields[i].flags & FIELD_SORTABLE) {
            field_add_name(resource->fields[i].name, names);
        }
    }
    for (size_t i = 0; i < resource->order_count; i++) {
        const struct field *field = resource_field(resource, resource->orders[i].name);
        if (!field || !(field->flags & FIELD_SORTABLE)) {
            field_add_name(resource->orders[i].name, names);
        }
    }
    (void)snprintf(detail, sizeof detail,
                   "Must be one to three of: %s; each with - in front to turn the order round, "
                   "separated by commas.",
                   names);
    item_complain(r, "sort", "not_allowed", detail);
}

void item_read_sort(struct item_reading *r)
{
    struct store_item_list *list = r->list;
    struct slice rest = http_query_get(r->query, SLICE("sort"));
    if (!rest.ptr) {
        rest = list->resource->order.ptr ? list->resource->order : SLICE("-created_at");
    }
    while (rest.ptr) {
        struct store_order order = {0};
        struct slice name = slice_next(&rest, ',');
        order.descending = slice_starts(name, SLICE("-"));
        name = slice_from(name, order.descending ? 1 : 0);
        if (!find_order(list->resource, name, &order)) {
            complain_of_sort(r);
            return;
        }
        for (unsigned i = 0; i < list->order_count; i++) {
            if (list->orders[i].field == order.field) {
                item_complain(r, "sort", "repeated", "Must name a member only once.");
                return;
            }
        }
        if (list->order_count == STORE_ORDERS_MOST) {
            item_complain(r, "sort", "too_many", "May name at most three members.");
            return;
        }
        list->orders[list->order_count++] = order;
    }
}
