// SPDX-License-Identifier: MIT
#include "api/event_reading.h"

#include <stdlib.h>

#include "api/feed.h"
#include "base/clock.h"
#include "http/stream.h"

#define CHANGES_MOST 100 /* of one read */
/* A read ends before the change that would make it larger; what ends the run has room after it. */
#define EVENTS_MOST (HTTP_STREAM_PIECE - 2048)
#define ARENA_MOST  ((size_t)1024 * 1024)

#define EVENT_READING_MAGIC 0x4ae91f35u

void event_add_id(const struct api_loop *loop, struct uuid user,
                  const struct store_changes_place *place, struct buffer *out)
{
    buffer_add(out, SLICE("id: "));
    feed_cursor_make(loop->keys, loop->api->epoch, user, place, out);
}

/* ---- what the store gives ---- */

/* The page may begin anew. */
static bool begin(struct store_changes *op)
{
    struct event_reading *reading =
        OWNER_OF(op, struct event_reading, changes, EVENT_READING_MAGIC);
    buffer_clear(&reading->page);
    return true;
}

static bool each(struct store_changes *op, const struct store_change *change)
{
    struct event_reading *reading =
        OWNER_OF(op, struct event_reading, changes, EVENT_READING_MAGIC);
    struct buffer *page = &reading->page;
    const size_t before = page->len;
    struct store_changes_place place = op->next;
    struct json_writer json;
    if (!reading->readers) {
        return true; /* nobody takes it */
    }
    if (place.from == STORE_CHANGES_AFTER) {
        place.revision = change->revision;
    } else {
        place.created_at = ((const struct item *)change->item)->created_at;
        place.id = change->id;
    }
    buffer_add(page, SLICE("event: change\n"));
    event_add_id(reading->loop, reading->user, &place, page);
    buffer_add(page, SLICE("\ndata: "));
    json_writer_init(&json, page);
    feed_write_change(&json, change);
    buffer_add(page, SLICE("\n\n"));
    if (page->len > EVENTS_MOST && op->count > 0) {
        page->len = before;
        return false;
    }
    return true;
}

/* ---- its life ---- */

static size_t largest_change(void)
{
    size_t most = 0;
    for (unsigned i = 0; i < resource_count; i++) {
        const size_t bytes = feed_change_most(resources[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void destroy(struct event_reading *reading)
{
    arena_destroy(&reading->arena);
    buffer_finish(&reading->page);
    OWNER_END(reading);
    free(reading);
}

static void done(struct store_op *op)
{
    struct event_reading *reading =
        OWNER_OF(op, struct event_reading, changes.op, EVENT_READING_MAGIC);
    struct event_reader *next = reading->readers;
    reading->done = true;
    reading->took_us = clock_mono_us() - reading->begun_us;
    if (!next) {
        destroy(reading);
        return;
    }
    if (reading->calling) {
        return;
    }
    while (next) { /* the last one that leaves ends the reading */
        struct event_reader *reader = next;
        next = reader->next;
        reader->done(reader);
    }
}

static void join(struct event_reader *reader, struct event_reading *reading)
{
    assert(OWNER_IS(reader, EVENT_READER_MAGIC) && reader->done && !reader->of);
    reader->of = reading;
    reader->next = reading->readers;
    reading->readers = reader;
}

bool event_reading_begin(struct event_reader *reader, struct api_loop *loop, struct uuid user,
                         const struct store_changes_place *after)
{
    struct event_reading *reading = calloc(1, sizeof *reading);
    struct arena *arena = arena_create(ARENA_MOST);
    if (!reading || !arena) {
        free(reading);
        arena_destroy(&arena);
        return false;
    }
    OWNER_SET(reading, EVENT_READING_MAGIC);
    buffer_init(&reading->page, HTTP_STREAM_PIECE + largest_change() + 512);
    reading->loop = loop;
    reading->user = user;
    reading->arena = arena;
    reading->begun_us = clock_mono_us();
    reading->changes = (struct store_changes){
        .op = {.session = loop->store, .arena = arena, .done = done},
        .space = user,
        .after = *after,
        .limit = CHANGES_MOST,
        .begin = begin,
        .each = each,
    };
    join(reader, reading);
    reading->calling = true;
    loop->api->options.engine->changes(&reading->changes);
    reading->calling = false;
    return true;
}

bool event_reading_join(struct event_reader *reader, const struct event_reader *other,
                        const struct store_changes_place *after)
{
    struct event_reading *reading = other->of;
    if (!reading || reading->stale || after->from != STORE_CHANGES_AFTER ||
        reading->changes.after.from != STORE_CHANGES_AFTER ||
        reading->changes.after.revision != after->revision ||
        (reading->done && reading->changes.op.result != ERROR_NONE)) {
        return false;
    }
    join(reader, reading);
    return true;
}

void event_reading_outdate(const struct event_reader *reader)
{
    if (reader->of) {
        reader->of->stale = true;
    }
}

void event_reading_leave(struct event_reader *reader)
{
    struct event_reading *reading = reader->of;
    assert(OWNER_IS(reader, EVENT_READER_MAGIC));
    if (!reading) {
        return;
    }
    struct event_reader **place = &reading->readers;
    while (*place != reader) {
        place = &(*place)->next;
    }
    *place = reader->next;
    reader->of = NULL;
    if (!reading->readers && reading->done) {
        destroy(reading);
    }
}
