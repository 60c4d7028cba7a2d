// SPDX-License-Identifier: MIT
#include "store/sqlite/functions.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/fold.h"
#include "base/uuid.h"
#include "model/days.h"
#include "model/position.h"
#include "model/task.h"

#define ID_LEN sizeof(struct uuid)

/* ptr NULL: NULL. */
static struct slice bytes_of(sqlite3_value *value)
{
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return (struct slice){0};
    const char *bytes = sqlite3_value_blob(value);
    return (struct slice){bytes ? bytes : "", (size_t)sqlite3_value_bytes(value)};
}

/* ---- days ---- */

static void day_key(sqlite3_context *context, sqlite3_value **values,
                    int64_t (*key)(const struct when *when, const struct days_run *runs,
                                   size_t count))
{
    const struct slice runs = bytes_of(values[1]);
    struct when when;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL || runs.len < sizeof(struct days_run) ||
        !when_unpack(sqlite3_value_int64(values[0]), &when))
        return;
    /* It was bound as such an array. */
    const struct days_run *list = (const struct days_run *)(const void *)runs.ptr;
    sqlite3_result_int64(context, key(&when, list, runs.len / sizeof *list));
}

static void day_begin(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    day_key(context, values, days_start_key);
}

static void day_end(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    day_key(context, values, days_due_key);
}

/* ---- ids ---- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_LEN);
}

static bool is_in(struct slice set, const void *id)
{
    return set.len > 0 && bsearch(id, set.ptr, set.len / ID_LEN, ID_LEN, compare_ids);
}

static void uuid_in(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice id = bytes_of(values[1]);
    (void)count;
    sqlite3_result_int(context, id.len == ID_LEN && is_in(bytes_of(values[0]), id.ptr));
}

#define UUIDS_STEP (UUID_TEXT_LEN + 3) /* `"…",` */

static void uuids_meet(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice json = bytes_of(values[0]);
    const struct slice set = bytes_of(values[1]);
    bool met = false;
    (void)count;
    for (size_t at = 2; at + UUID_TEXT_LEN <= json.len && !met; at += UUIDS_STEP) {
        struct uuid id;
        met = uuid_parse((struct slice){json.ptr + at, UUID_TEXT_LEN}, &id) && is_in(set, &id);
    }
    sqlite3_result_int(context, met);
}

/* What an aggregate gathers. */
struct gathered {
    char *rows;
    size_t len;
    size_t room;
};

/* Room for one more row; NULL without memory, which was told. */
static void *gather(sqlite3_context *context, size_t size)
{
    struct gathered *all = sqlite3_aggregate_context(context, sizeof *all);
    if (all && all->len + size > all->room) {
        const size_t room = all->room > 0 ? 2 * all->room : 64 * size;
        char *rows = sqlite3_realloc64(all->rows, room);
        all->rows = rows ? rows : all->rows;
        all->room = rows ? room : all->room;
    }
    if (!all || all->len + size > all->room) {
        sqlite3_result_error_nomem(context);
        return NULL;
    }
    all->len += size;
    return all->rows + all->len - size;
}

static void sort_ids(char *ids, size_t count)
{
    size_t at = 1;
    while (at < count && compare_ids(ids + (at - 1) * ID_LEN, ids + at * ID_LEN) <= 0)
        at++;
    if (at < count)
        qsort(ids, count, ID_LEN, compare_ids);
}

static void set_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice id = bytes_of(values[0]);
    (void)count;
    char *place = id.len == ID_LEN ? gather(context, ID_LEN) : NULL;
    if (place)
        memcpy(place, id.ptr, ID_LEN);
}

static void set_final(sqlite3_context *context)
{
    struct gathered *all = sqlite3_aggregate_context(context, 0);
    if (!all || !all->rows)
        return;
    sort_ids(all->rows, all->len / ID_LEN);
    sqlite3_result_blob64(context, all->rows, all->len, sqlite3_free);
}

struct edge {
    struct uuid id;
    struct uuid parent;
    bool yes;
    bool seen; /* its parent is in the set */
};

static void above_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice id = bytes_of(values[0]);
    const struct slice parent = bytes_of(values[1]);
    (void)count;
    struct edge *edge =
        id.len == ID_LEN && parent.len == ID_LEN ? gather(context, sizeof *edge) : NULL;
    if (!edge)
        return;
    *edge = (struct edge){.yes = sqlite3_value_int(values[2]) != 0};
    memcpy(&edge->id, id.ptr, ID_LEN);
    memcpy(&edge->parent, parent.ptr, ID_LEN);
}

/* From each that is true upwards, as far as nobody went before. */
static void mark_above(struct edge *edges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct edge *edge = edges[i].yes ? &edges[i] : NULL;
        while (edge && !edge->seen) {
            edge->seen = true;
            edge = bsearch(&edge->parent, edges, count, sizeof *edges, compare_ids);
        }
    }
}

static void above_final(sqlite3_context *context)
{
    struct gathered *all = sqlite3_aggregate_context(context, 0);
    if (!all || !all->rows)
        return;
    struct edge *edges = (struct edge *)(void *)all->rows;
    const size_t count = all->len / sizeof *edges;
    char *set = sqlite3_malloc64(count * ID_LEN);
    size_t found = 0;
    if (set) {
        qsort(edges, count, sizeof *edges, compare_ids); /* the id comes first in it */
        mark_above(edges, count);
        for (size_t i = 0; i < count; i++) {
            if (edges[i].seen)
                memcpy(set + found++ * ID_LEN, &edges[i].parent, ID_LEN);
        }
        sort_ids(set, found);
        sqlite3_result_blob64(context, set, found * ID_LEN, sqlite3_free);
    } else {
        sqlite3_result_error_nomem(context);
    }
    sqlite3_free(all->rows);
}
static_assert(offsetof(struct edge, id) == 0, "an edge is compared by its id");

/* ---- places ---- */

struct place {
    struct uuid id;
    unsigned char len;
    char position[POSITION_MOST];
};
static_assert(offsetof(struct place, id) == 0, "a place is compared by its id");
static_assert(POSITION_MOST <= UCHAR_MAX, "the length of a position is a byte");

static void place_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice id = bytes_of(values[0]);
    const struct slice position = bytes_of(values[1]);
    (void)count;
    struct place *place = id.len == ID_LEN && position.ptr && position.len <= POSITION_MOST
                              ? gather(context, sizeof *place)
                              : NULL;
    if (!place)
        return;
    memcpy(&place->id, id.ptr, ID_LEN);
    place->len = (unsigned char)position.len;
    memcpy(place->position, position.ptr, position.len);
}

static void place_final(sqlite3_context *context)
{
    struct gathered *all = sqlite3_aggregate_context(context, 0);
    if (!all || !all->rows)
        return;
    qsort(all->rows, all->len / sizeof(struct place), sizeof(struct place), compare_ids);
    sqlite3_result_blob64(context, all->rows, all->len, sqlite3_free);
}

static void place_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice places = bytes_of(values[0]);
    const struct slice id = bytes_of(values[1]);
    const size_t size = sizeof(struct place);
    (void)count;
    const struct place *place =
        id.len == ID_LEN && places.len > 0
            ? bsearch(id.ptr, places.ptr, places.len / size, size, compare_ids)
            : NULL;
    if (place)
        sqlite3_result_text(context, place->position, place->len, SQLITE_TRANSIENT);
}

/* ---- strings ---- */

/* Cuts off the next string of a FIELD_STRINGS, as it stands between its quotes. */
static bool next_string(struct slice *json, struct slice *string)
{
    if (json->len == 0)
        return false;
    const char *end = json->ptr + json->len;
    const char *begin = memchr(json->ptr, '"', json->len);
    if (!begin)
        return false;
    const char *at = ++begin;
    while (at < end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    if (at >= end)
        return false;
    *string = (struct slice){begin, (size_t)(at - begin)};
    *json = (struct slice){at + 1, (size_t)(end - at - 1)};
    return true;
}

static bool has_string(struct slice json, struct slice wanted)
{
    struct slice string;
    while (next_string(&json, &string)) {
        if (slice_eq(string, wanted))
            return true;
    }
    return false;
}

/* Whether one of `wanted` is there (`all`: whether none is missing). */
static void find_strings(sqlite3_context *context, sqlite3_value **values, bool all)
{
    struct slice wanted = bytes_of(values[0]);
    const struct slice json = bytes_of(values[1]);
    struct slice string;
    bool found = json.ptr && all;
    while (json.ptr && found == all && next_string(&wanted, &string))
        found = has_string(json, string);
    sqlite3_result_int(context, found);
}

static void strings_any(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    find_strings(context, values, false);
}

static void strings_all(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    find_strings(context, values, true);
}

/* ---- folded texts ---- */

static void fold_first(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct slice folded = bytes_of(values[0]);
    (void)count;
    if (folded.ptr) {
        const struct slice first = slice_next(&folded, FOLD_BREAK);
        sqlite3_result_text64(context, first.ptr, first.len, SQLITE_TRANSIENT, SQLITE_UTF8);
        return;
    }
    const struct slice title = bytes_of(values[1]);
    char *room = title.ptr ? sqlite3_malloc64(title.len + 1) : NULL;
    if (room) {
        (void)slice_lower(title, room);
        sqlite3_result_text64(context, room, title.len, sqlite3_free, SQLITE_UTF8);
    } else if (title.ptr) {
        sqlite3_result_error_nomem(context);
    }
}

static void task_folded(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct task task;
    struct field_value value;
    struct buffer room;
    (void)count;
    resource_clear(&task_resource, &task);
    task.title = bytes_of(values[0]);
    task.description = bytes_of(values[1]);
    if (!resource_derive(&task_resource, &task, &room, &value))
        sqlite3_result_error_nomem(context);
    else if (!value.null)
        sqlite3_result_text64(context, value.bytes.ptr, value.bytes.len, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    buffer_finish(&room);
}

static bool has_all(struct slice terms, struct slice text)
{
    while (terms.ptr) {
        const struct slice term = slice_next(&terms, FOLD_BREAK);
        if (!memmem(text.ptr, text.len, term.ptr, term.len))
            return false;
    }
    return true;
}

/* Of members that are plain: A to Z become small, and no label has an escape. Returns the length.
 */
static size_t fold_plain(struct slice title, struct slice description, struct slice labels,
                         char *room)
{
    struct slice string;
    size_t len = slice_lower(title, room).len;
    if (description.len > 0) {
        room[len++] = FOLD_BREAK;
        len += slice_lower(description, room + len).len;
    }
    while (next_string(&labels, &string)) {
        room[len++] = FOLD_BREAK;
        len += slice_lower(string, room + len).len;
    }
    return len;
}

static void is_found(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct slice terms = bytes_of(values[0]);
    const struct slice folded = bytes_of(values[1]);
    const struct slice members[] = {bytes_of(values[2]), bytes_of(values[3]), bytes_of(values[4])};
    char small[1024];
    (void)count;
    if (folded.ptr) {
        sqlite3_result_int(context, has_all(terms, folded));
        return;
    }
    const size_t most = members[0].len + members[1].len + members[2].len + 2;
    char *room = most <= sizeof small ? small : sqlite3_malloc64(most);
    if (!room) {
        sqlite3_result_error_nomem(context);
        return;
    }
    const size_t len = fold_plain(members[0], members[1], members[2], room);
    assert(len <= most);
    sqlite3_result_int(context, has_all(terms, (struct slice){room, len}));
    if (room != small)
        sqlite3_free(room);
}

/* ---- ids in texts, for what writes ask (store/sql.c) ---- */

static bool take_id(sqlite3_value *value, struct uuid *id)
{
    const int type = sqlite3_value_type(value);
    const char *bytes = type == SQLITE_BLOB   ? sqlite3_value_blob(value)
                        : type == SQLITE_TEXT ? (const char *)sqlite3_value_text(value)
                                              : NULL;
    const size_t len = bytes ? (size_t)sqlite3_value_bytes(value) : 0;
    if (type == SQLITE_TEXT)
        return bytes && uuid_parse((struct slice){bytes, len}, id);
    if (len != sizeof id->bytes)
        return false;
    memcpy(id->bytes, bytes, sizeof id->bytes);
    return true;
}

static void uuid_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct uuid id;
    assert(count == 1);
    (void)count;
    if (take_id(values[0], &id))
        sqlite3_result_blob(context, id.bytes, sizeof id.bytes, SQLITE_TRANSIENT);
}

static void uuid_ms(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct uuid id;
    assert(count == 1);
    (void)count;
    if (take_id(values[0], &id))
        sqlite3_result_int64(context, uuid_time_ms(id));
}

/* ---- random bytes ---- */

#define RANDOM_MOST 1024

/* In place of SQLite's own, which takes the time and the process id where it finds no /dev/urandom:
 * an epoch is never guessed, nor made twice. This one ends the process when the kernel has none. */
static void random_blob(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t bytes[RANDOM_MOST];
    const int wanted = sqlite3_value_int(values[0]);
    assert(count == 1);
    (void)count;
    if (wanted < 1 || wanted > RANDOM_MOST) {
        sqlite3_result_error_toobig(context);
        return;
    }
    if (sodium_init() < 0)
        abort();
    randombytes_buf(bytes, (size_t)wanted);
    sqlite3_result_blob(context, bytes, wanted, SQLITE_TRANSIENT);
}

/* ---- all of them ---- */

int functions_register(sqlite3 *db)
{
    static const struct {
        const char *name;
        int count; /* of arguments */
        void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
        void (*final)(sqlite3_context *context); /* of an aggregate, whose step `call` is */
    } all[] = {
        {"day_begin", 2, day_begin, NULL},     {"day_end", 2, day_end, NULL},
        {"uuid_of", 1, uuid_of, NULL},         {"uuid_ms", 1, uuid_ms, NULL},
        {"uuid_in", 2, uuid_in, NULL},         {"uuids_meet", 2, uuids_meet, NULL},
        {"uuid_set", 1, set_step, set_final},  {"uuid_above", 3, above_step, above_final},
        {"place_of", 2, place_of, NULL},       {"place_set", 2, place_step, place_final},
        {"strings_any", 2, strings_any, NULL}, {"strings_all", 2, strings_all, NULL},
        {"fold_first", 2, fold_first, NULL},   {"is_found", 5, is_found, NULL},
        {"task_folded", 2, task_folded, NULL},
    };
    int rc = SQLITE_OK;
    assert(db);
    for (size_t i = 0; i < sizeof all / sizeof all[0] && rc == SQLITE_OK; i++)
        rc = sqlite3_create_function_v2(db, all[i].name, all[i].count,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                        NULL, all[i].final ? NULL : all[i].call,
                                        all[i].final ? all[i].call : NULL, all[i].final, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(db, "randomblob", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
                                        random_blob, NULL, NULL, NULL);
    return rc;
}
