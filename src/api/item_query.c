// SPDX-License-Identifier: MIT
#include "api/item_query.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/cursor.h"
#include "api/item_filter.h"
#include "api/request_zone.h"

/* ---- the names that there are ---- */

#define NAME_MOST  64 /* with what says that it takes several values, and a NUL */
#define OTHERS     5  /* limit, cursor, sort, include, time_zone */
#define NAMES_MOST (OTHERS + STORE_TERMS_MOST)

static_assert(NAMES_MOST <= HTTP_QUERY_PARAMETERS, "all of them may stand in one query");

/* Of lists, and of what is done to all that a filter finds. */
enum query_use { USE_LIST, USE_FILTER, USE_COUNT };

/* Of each resource; made once. */
static struct names {
    const char *list[NAMES_MOST + 1]; /* ended by NULL */
    unsigned count;
    char filters[STORE_TERMS_MOST][NAME_MOST];
    unsigned filter_count;
} names_of[USE_COUNT][RESOURCES_MOST];

static void add_filter(struct names *names, struct slice name, const char *several)
{
    assert(names->filter_count < STORE_TERMS_MOST && name.len + strlen(several) < NAME_MOST);
    char *room = names->filters[names->filter_count++];
    (void)snprintf(room, NAME_MOST, "%s%s", name.ptr, several);
    names->list[names->count++] = room;
}

static const char *several_of(enum list_filter filter)
{
    switch (filter) {
    case LIST_IN: return "[]";
    case LIST_ANY_OF:
    case LIST_ALL_OF: return "[,]";
    default: return "";
    }
}

static void add_name(struct names *names, const char *name)
{
    assert(names->count < NAMES_MOST);
    names->list[names->count++] = name;
}

static void make_names_of(struct names *names, const struct resource *resource, enum query_use use)
{
    bool zoned = false;
    if (use == USE_LIST) {
        add_name(names, "limit");
        add_name(names, "cursor");
    }
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        if (field->flags & FIELD_FILTERABLE) {
            assert(field->type == FIELD_TEXT || !field_is_text(field->type));
            add_filter(names, field->name, field_is_choice(field->type) ? "[]" : "");
        }
    }
    for (size_t i = 0; i < resource->filter_count; i++) {
        add_filter(names, resource->filters[i].name, several_of(resource->filters[i].filter));
        zoned |= item_filter_is_zoned(&resource->filters[i]);
    }
    add_name(names, use == USE_LIST ? "sort[]" : "max");
    add_name(names, use == USE_LIST ? "include" : "dry_run");
    if (zoned) {
        add_name(names, REQUEST_ZONE);
    }
}

static void make_names(void)
{
    assert(resource_count <= RESOURCES_MOST);
    for (unsigned use = 0; use < USE_COUNT; use++) {
        for (unsigned k = 0; k < resource_count; k++) {
            make_names_of(&names_of[use][k], resources[k], (enum query_use)use);
        }
    }
}

/* ---- what an answer depends on ---- */

/* Whatever is wrong with it: then there is no answer. */
static bool has_zoned_order(const struct item_query *query, const struct resource *resource)
{
    struct slice rest = http_query_get(&query->query, SLICE("sort"));
    while (rest.ptr) {
        struct slice name = slice_next(&rest, ',');
        name = slice_from(name, slice_starts(name, SLICE("-")) ? 1 : 0);
        for (size_t i = 0; i < resource->order_count; i++) {
            if (slice_eq(name, resource->orders[i].name) &&
                item_order_is_zoned(resource->orders[i].order)) {
                return true;
            }
        }
    }
    return false;
}

/* Every parameter that has a value is one, but for these. */
static bool has_filter(const struct http_query *query)
{
    const struct slice others[] = {SLICE("limit"),     SLICE("cursor"), SLICE("sort"),
                                   SLICE("include"),   SLICE("max"),    SLICE("dry_run"),
                                   SLICE(REQUEST_ZONE)};
    unsigned values = 0;
    for (unsigned i = 0; i < query->count; i++) {
        values += query->list[i].value.len > 0;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        values -= http_query_get(query, others[i]).ptr != NULL;
    }
    return values > 0;
}

static void find_dependences(struct item_query *query, const struct resource *resource)
{
    query->filtered = has_filter(&query->query);
    query->zoned = has_zoned_order(query, resource);
    for (size_t i = 0; query->filtered && i < resource->filter_count; i++) {
        const struct resource_filter *filter = &resource->filters[i];
        query->zoned |=
            item_filter_is_zoned(filter) && http_query_get(&query->query, filter->name).ptr;
    }
    query->unsteady = query->zoned;
}

static bool begin_query(const struct http_request *request, const struct resource *resource,
                        enum query_use use, struct arena *arena, struct item_query *query,
                        struct http_problem_errors *errors)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    assert(request && resource && arena && query && errors);
    (void)pthread_once(&once, make_names);
    const struct names *names = &names_of[use][resource_index(resource)];
    query->names = names->list;
    query->asked = request->query;
    if (!http_query_parse(request, query->names, arena, &query->query, errors) &&
        errors->count == 0) {
        return false;
    }
    find_dependences(query, resource);
    return true;
}

bool item_query_begin(const struct http_request *request, const struct resource *resource,
                      struct arena *arena, struct item_query *query,
                      struct http_problem_errors *errors)
{
    return begin_query(request, resource, USE_LIST, arena, query, errors);
}

bool item_query_begin_filter(const struct http_request *request, const struct resource *resource,
                             struct arena *arena, struct item_query *query,
                             struct http_problem_errors *errors)
{
    return begin_query(request, resource, USE_FILTER, arena, query, errors);
}

struct slice item_query_zone(const struct item_query *query)
{
    return http_query_get(&query->query, SLICE(REQUEST_ZONE));
}

/* ---- values ---- */

void item_query_read_limit(const struct http_query *query, unsigned *limit,
                           struct http_problem_errors *errors)
{
    const struct slice value = http_query_get(query, SLICE("limit"));
    struct http_problem_error error = {.parameter = SLICE("limit")};
    uint64_t number = ITEM_QUERY_LIMIT;
    assert(limit && errors);
    if (value.ptr && !slice_to_u64(value, UINT64_MAX, &number)) {
        error.code = "invalid";
        error.detail = "Must be a number from 1 to 100.";
    } else if (number < 1 || number > STORE_LIMIT_MOST) {
        error.code = "out_of_range";
        error.detail = "Must be from 1 to 100.";
    } else {
        *limit = (unsigned)number;
        return;
    }
    http_problem_errors_add(errors, error);
}

/* Where days begin, for an order by dates. */
static void find_runs(struct item_reading *r)
{
    bool zoned = false;
    for (unsigned i = 0; i < r->list->order_count; i++) {
        zoned |= item_order_is_zoned(r->list->orders[i].order);
    }
    if (!zoned || !r->zone) {
        return;
    }
    struct days_run *runs = arena_alloc(r->arena, DAYS_RUNS_MOST * sizeof *runs);
    r->failed |= !runs;
    if (runs) {
        r->list->runs = runs;
        r->list->run_count = days_find_runs(r->zone, DAYS_LEAST, DAYS_MOST, runs, DAYS_RUNS_MOST);
        assert(r->list->run_count <= DAYS_RUNS_MOST);
    }
}

/* Last of all: a cursor is compared with the order and the filter. */
static void read_cursor(struct item_reading *r, struct slice packed)
{
    struct store_item_list *list = r->list;
    const enum cursor_verdict verdict =
        packed.ptr ? cursor_unpack(packed, list, r->arena, &list->position) : CURSOR_BAD;
    list->after = verdict == CURSOR_GOOD;
    if (verdict != CURSOR_GOOD) {
        item_complain(
            r, "cursor", "invalid",
            verdict == CURSOR_BAD
                ? "Must be a next_cursor of this account. Begin again without one."
                : "Belongs to another filter, order or time zone: send the filter and sort that it "
                  "was made with.");
    }
}

/* As it was asked, since the page links to the next one in the same words. */
static struct slice make_key(const struct item_reading *r, struct slice asked)
{
    const uint32_t kind = (uint32_t)r->list->resource->kind;
    char *key = arena_alloc(r->arena, sizeof kind + asked.len);
    if (!key) {
        return (struct slice){0};
    }
    memcpy(key, &kind, sizeof kind);
    if (asked.len > 0) {
        memcpy(key + sizeof kind, asked.ptr, asked.len);
    }
    return (struct slice){key, sizeof kind + asked.len};
}

bool item_query_read(struct item_query *query, const struct item_query_reading *reading,
                     struct store_item_list *list, struct http_problem_errors *errors)
{
    const struct slice cursor = http_query_get(&query->query, SLICE("cursor"));
    struct slice packed = {0};
    struct item_reading r = {.query = &query->query,
                             .arena = reading->arena,
                             .zone = reading->zone,
                             .list = list,
                             .errors = errors};
    assert(list->resource && list->term_count == 0 && list->order_count == 0);
    query->clock = reading->now;
    if (cursor.ptr &&
        cursor_open(reading->keys, reading->cursor_space, cursor, reading->arena, &packed)) {
        query->clock = cursor_clock(packed);
    }
    r.clock = query->clock;
    item_query_read_limit(&query->query, &list->limit, errors);
    if (query->filtered) {
        item_read_filters(&r);
    }
    item_read_sort(&r);
    const struct slice include = http_query_get(&query->query, SLICE("include"));
    list->with_total = include.ptr != NULL;
    if (include.ptr && !slice_eq(include, SLICE("total"))) {
        item_complain(&r, "include", "not_allowed", "Must be: total.");
    }
    find_runs(&r);
    if (cursor.ptr && errors->count == 0 && !r.failed) {
        read_cursor(&r, packed);
    }
    if (errors->count > 0 || r.failed) {
        return !r.failed;
    }
    if (query->unsteady) {
        return true;
    }
    /* The same page is then the same bytes at any time, its cursor included. */
    query->clock = 0;
    query->key = make_key(&r, query->asked);
    return query->key.ptr;
}

bool item_query_read_filters(struct item_query *query, const struct item_query_reading *reading,
                             struct store_item_list *list, struct http_problem_errors *errors)
{
    struct item_reading r = {.query = &query->query,
                             .arena = reading->arena,
                             .zone = reading->zone,
                             .clock = reading->now,
                             .list = list,
                             .errors = errors};
    assert(list->resource && list->term_count == 0);
    item_read_filters(&r);
    return !r.failed;
}

/* Every value was checked; what is not a text needs no escaping, and texts are escaped. */
void item_query_add_next(const struct item_query *query, struct slice cursor, struct buffer *out)
{
    for (size_t i = 0; query->names[i]; i++) {
        const struct slice name = http_query_name(query->names[i]);
        const struct slice value = http_query_get(&query->query, name);
        if (!value.ptr || slice_eq(name, SLICE("cursor"))) {
            continue;
        }
        buffer_add(out, name);
        buffer_add_char(out, '=');
        http_query_escape(value, http_query_breaks(query->names[i]), out);
        buffer_add_char(out, '&');
    }
    buffer_add_text(out, "cursor=");
    buffer_add(out, cursor);
}
