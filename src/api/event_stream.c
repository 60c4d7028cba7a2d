// SPDX-License-Identifier: MIT
#include "api/event_stream.h"

#include <sodium.h>
#include <stdlib.h>

#include "api/event_reading.h"
#include "api/feed.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/stream.h"

#define ARENA_MOST ((size_t)64 * 1024) /* of a look at the session */
#define ID_MOST    64
#define READS_MOST 4 /* that found nothing to give, in one turn */

/* A stream that was given all there is rests so many times as long as that took to read. So it is
 * read for a small part of the time, however often its user writes, and what changes meanwhile
 * comes together; a database with much to do answers later, and is asked less. */
#define REST_TIMES   50
#define REST_MOST_MS 250

#define RETRY_MS       2000
#define RETRY_LEAST_MS 500 /* at a drain */
#define RETRY_MOST_MS  8000

#define EVENT_STREAM_MAGIC 0x58d3a0e7u
#define TRUST_MAGIC        0x92d7be08u

/* What a stream keeps while it waits. */
struct event_stream {
    unsigned magic; /* EVENT_STREAM_MAGIC */
    struct subscriber subscriber;
    struct event_reader reader; /* of changes */
    struct api_loop *loop;
    struct http_exchange *x;     /* until the head is on its way */
    struct http_stream *stream;  /* from then on; NULL: the client has left */
    struct session_look *asking; /* for the session; NULL: it is not */
    struct uuid user;
    struct uuid actor; /* the session, or the token of a script */
    bool of_script;
    struct slice prefix;
    struct store_changes_place place; /* up to which everything was given */
    uint64_t trusted;                 /* trust_now() when the session was last known to live */
    int64_t begun_ms;
    int64_t end_ms;
    int64_t rest_until_ms; /* nothing is read before; by clock_mono_ms */
    int64_t since_us;      /* of the first word that is not acted on; 0: there is none */
    int64_t acted_us;      /* and of the one for which changes are read */
    const char *why;       /* it ended */
    bool gone;             /* there is no such place */
    bool said;             /* the first event */
    bool news;             /* there may be something after `place` */
    bool owes;             /* `ready`, when nothing newer is there */
    uint8_t id_len;
    char id[ID_MOST]; /* of the request */
};

/* What it has besides while it asks for its session. It may outlive the stream. */
struct session_look {
    unsigned magic;             /* TRUST_MAGIC */
    struct event_stream *owner; /* NULL: it has ended */
    struct arena *arena;
    bool calling; /* the store's function has not returned */
    bool done;
    uint64_t trust; /* before the session was asked for */
    struct store_session_check check;
};

/* ---- events ---- */

static void add_retry(struct buffer *out, unsigned ms)
{
    buffer_add_format(out, "retry: %u\n\n", ms);
}

static void add_ready(const struct event_stream *events, const struct store_changes_place *place,
                      struct buffer *out)
{
    buffer_add(out, SLICE("event: ready\n"));
    event_add_id(events->loop, events->user, place, out);
    buffer_add(out, SLICE("\ndata: {}\n\n"));
}

/* Without an id: there is nothing to go on from. */
static void add_gone(const struct event_stream *events, struct buffer *out)
{
    struct http_problem problem = {
        .error = ERROR_CURSOR_GONE,
        .prefix = events->prefix,
        .path = "/v1/events",
        .request_id = {events->id, events->id_len},
    };
    struct buffer detail;
    buffer_init(&detail, 512);
    feed_add_gone(&detail, events->loop->api->options.settings->keep_seconds);
    buffer_add_char(&detail, '\0');
    problem.detail = detail.failed ? NULL : detail.data;
    buffer_add(out, SLICE("event: gone\ndata: "));
    http_problem_add(out, &problem);
    buffer_add(out, SLICE("\n\n"));
    buffer_finish(&detail);
}

/* ---- is it still the session's? ---- */

/* Moves when a session of the user may have ended. */
static uint64_t trust_now(const struct event_stream *events)
{
    const struct api_options *options = &events->loop->api->options;
    return revocations_of(options->revocations, events->user) +
           subscriptions_doubts(options->subscriptions);
}

static bool is_trusted(const struct event_stream *events)
{
    return events->trusted == trust_now(events);
}

static void end_look(struct session_look *look)
{
    if (!look) {
        return;
    }
    arena_destroy(&look->arena);
    OWNER_END(look);
    free(look);
}

static void session_checked(struct store_op *op)
{
    struct session_look *look = OWNER_OF(op, struct session_look, check.op, TRUST_MAGIC);
    look->done = true;
    if (!look->owner) {
        end_look(look);
    } else if (!look->calling) {
        http_stream_wake(look->owner->stream);
    }
}

/* False without memory. */
static bool ask_session(struct event_stream *events)
{
    struct session_look *look = calloc(1, sizeof *look);
    struct arena *arena = arena_create(ARENA_MOST);
    if (!look || !arena) {
        free(look);
        arena_destroy(&arena);
        return false;
    }
    OWNER_SET(look, TRUST_MAGIC);
    look->owner = events;
    look->arena = arena;
    look->trust = trust_now(events);
    look->check = (struct store_session_check){
        .op = {.session = events->loop->store, .arena = arena, .done = session_checked},
        .user = events->user,
        .id = events->actor,
        .of_script = events->of_script,
        .now = clock_steady_ms(),
    };
    events->asking = look;
    look->calling = true;
    events->loop->api->options.engine->session_check(&look->check);
    look->calling = false;
    return true;
}

/* ---- what it reads ---- */

/* With those of its user who stand where it stands, or alone. False without memory. */
static bool read_changes(struct event_stream *events)
{
    struct subscriber *other = subscribers_first(&events->subscriber);
    events->news = false;
    events->acted_us = events->since_us;
    events->since_us = 0;
    for (; other; other = other->next) {
        const struct event_stream *shared =
            OWNER_OF(other, struct event_stream, subscriber, EVENT_STREAM_MAGIC);
        if (event_reading_join(&events->reader, &shared->reader, &events->place)) {
            return true;
        }
    }
    return event_reading_begin(&events->reader, events->loop, events->user, &events->place);
}

static void rest(struct event_stream *events, int64_t took_us)
{
    const int64_t rest_ms = took_us * REST_TIMES / 1000;
    events->rest_until_ms = clock_mono_ms() + (rest_ms < REST_MOST_MS ? rest_ms : REST_MOST_MS);
}

static bool is_resting(const struct event_stream *events)
{
    return clock_mono_ms() < events->rest_until_ms;
}

/* ---- what the connection asks ---- */

enum trust { TRUST_GOOD, TRUST_ASKED, TRUST_ENDED };

/* Whatever the store cannot answer ends the stream too: the client comes back, and is told why. But
 * where it has too much to do the stream waits, since to come back costs more. */
static enum trust judge_session(struct event_stream *events)
{
    while (!is_trusted(events)) {
        if (!events->asking && !ask_session(events)) {
            events->why = "failed";
            return TRUST_ENDED;
        }
        struct session_look *look = events->asking;
        if (!look->done) {
            return TRUST_ASKED;
        }
        const enum error result = look->check.op.result;
        const uint64_t trust = look->trust;
        events->asking = NULL;
        end_look(look);
        if (result == ERROR_OVERLOADED) {
            http_stream_wake_at(events->stream, clock_mono_ms() + REST_MOST_MS);
            return TRUST_ASKED;
        }
        events->trusted = trust;
        if (result != ERROR_NONE) {
            events->why = result == ERROR_NOT_FOUND ? "session_ended" : "failed";
            return TRUST_ENDED;
        }
    }
    return TRUST_GOOD;
}

static bool may_send(void *source)
{
    struct event_stream *events = OWNER_CAST(source, struct event_stream, EVENT_STREAM_MAGIC);
    const enum trust trust = judge_session(events);
    if (trust == TRUST_ENDED) {
        http_stream_cut(events->stream);
    }
    return trust != TRUST_ASKED;
}

static void say_first(struct event_stream *events, struct buffer *out)
{
    if (!events->said) {
        add_retry(out, RETRY_MS);
        events->said = true;
    }
}

/* What was read, and `ready` when it was all. */
static enum http_stream_step give_changes(struct event_stream *events, struct buffer *out)
{
    const struct event_reading *reading = events->reader.of;
    const struct store_changes *op = &reading->changes;
    enum http_stream_step step = HTTP_STREAM_MORE;
    if (op->op.result == ERROR_OVERLOADED) {
        events->news = true;
        events->rest_until_ms = clock_mono_ms() + REST_MOST_MS;
    } else if (op->op.result != ERROR_NONE || reading->page.failed) {
        events->why = "failed";
        step = HTTP_STREAM_END;
    } else if (op->gone) {
        events->gone = true;
    } else {
        say_first(events, out);
        buffer_add(out, buffer_slice(&reading->page));
        events->place = op->next;
        events->news = events->news || op->more;
        events->owes = events->owes || op->count > 0;
        if (op->count > 0 && events->acted_us > 0) {
            metrics_observe(METRIC_STREAM_DELAY, clock_mono_us() - events->acted_us);
        }
        if (!op->more) {
            rest(events, reading->took_us);
        }
        if (events->owes && !op->more) {
            add_ready(events, &events->place, out);
            events->owes = false;
        }
    }
    event_reading_leave(&events->reader);
    return step;
}

static enum http_stream_step give_gone(struct event_stream *events, struct buffer *out)
{
    say_first(events, out);
    add_gone(events, out);
    events->why = "cursor_gone";
    return HTTP_STREAM_END;
}

static enum http_stream_step pull(void *source, struct buffer *out)
{
    struct event_stream *events = OWNER_CAST(source, struct event_stream, EVENT_STREAM_MAGIC);
    const size_t before = out->len;
    for (unsigned i = 0; i < READS_MOST; i++) {
        const enum trust trust = judge_session(events);
        if (trust != TRUST_GOOD) {
            return trust == TRUST_ENDED ? HTTP_STREAM_END : HTTP_STREAM_WAIT;
        }
        if (events->gone) {
            return give_gone(events, out);
        }
        if (!events->reader.of && !events->news) {
            return HTTP_STREAM_WAIT;
        }
        if (!events->reader.of && is_resting(events)) {
            http_stream_wake_at(events->stream, events->rest_until_ms);
            return HTTP_STREAM_WAIT;
        }
        if (!events->reader.of && !read_changes(events)) {
            events->why = "failed";
            return HTTP_STREAM_END;
        }
        if (!events->reader.of->done) {
            return HTTP_STREAM_WAIT;
        }
        const enum http_stream_step step = give_changes(events, out);
        if (step != HTTP_STREAM_MORE || out->len > before) {
            return step;
        }
    }
    http_stream_wake(events->stream); /* the others have their turn */
    return HTTP_STREAM_WAIT;
}

/* Spread, so that the clients do not all come back at once. */
static void drain(void *source, struct buffer *out)
{
    struct event_stream *events = OWNER_CAST(source, struct event_stream, EVENT_STREAM_MAGIC);
    events->why = "drain";
    add_retry(out, RETRY_LEAST_MS + randombytes_uniform(RETRY_MOST_MS - RETRY_LEAST_MS + 1));
}

/* ---- its life ---- */

static void destroy(struct event_stream *events)
{
    subscribers_leave(&events->subscriber);
    event_reading_leave(&events->reader);
    if (events->asking && !events->asking->done) {
        events->asking->owner = NULL; /* its answer ends it */
    } else {
        end_look(events->asking);
    }
    OWNER_END(&events->subscriber);
    OWNER_END(&events->reader);
    OWNER_END(events);
    free(events);
}

static void leave(void *source)
{
    struct event_stream *events = OWNER_CAST(source, struct event_stream, EVENT_STREAM_MAGIC);
    const int64_t now_ms = clock_mono_ms();
    const char *why = events->why ? events->why : now_ms >= events->end_ms ? "expired" : "left";
    char user[UUID_TEXT_LEN];
    uuid_format(events->user, user);
    log_write(LOG_INFO, "stream_ended",
              LOG_FIELDS(LOG_T("reason", slice_of(why)),
                         LOG_US("us", (now_ms - events->begun_ms) * 1000),
                         LOG_T("user_id", ((struct slice){user, UUID_TEXT_LEN})),
                         LOG_T("request_id", ((struct slice){events->id, events->id_len}))));
    destroy(events);
}

static void wake(struct subscriber *subscriber, int64_t since_us)
{
    struct event_stream *events =
        OWNER_OF(subscriber, struct event_stream, subscriber, EVENT_STREAM_MAGIC);
    events->news = true;
    events->since_us = events->since_us > 0 ? events->since_us : since_us;
    event_reading_outdate(&events->reader);
    if (!events->stream) {
        return; /* its answer has not begun */
    }
    if (is_trusted(events) && is_resting(events)) {
        http_stream_wake_at(events->stream, events->rest_until_ms);
    } else {
        http_stream_wake(events->stream);
    }
}

void event_stream_fields(struct http_exchange *x)
{
    /* nginx gathers an answer before it passes it on, unless it is told not to. */
    http_respond_field(x, "Cache-Control", SLICE("no-store, no-transform"));
    http_respond_field(x, "X-Accel-Buffering", SLICE("no"));
}

static void begin_answer(struct event_stream *events)
{
    static const struct http_stream_kind kind = {
        .pull = pull,
        .may_send = may_send,
        .pulse = {":\n\n", 3},
        .drain = drain,
        .close = leave,
    };
    struct http_exchange *x = events->x;
    const enum error result = events->gone ? ERROR_NONE : events->reader.of->changes.op.result;
    struct http_stream *stream = result == ERROR_NONE ? http_stream_open(x, &kind, events) : NULL;
    if (!stream) {
        destroy(events);
        respond_user_error(x, result != ERROR_NONE ? result : ERROR_UNAVAILABLE);
        return;
    }
    events->x = NULL;
    events->stream = stream;
    if (events->end_ms != INT64_MAX) {
        http_stream_end_at(stream, events->end_ms);
    }
    event_stream_fields(x);
    http_respond_body(x, 200, EVENT_STREAM_TYPE);
}

/* What it read is there. */
static void read_done(struct event_reader *reader)
{
    struct event_stream *events = OWNER_OF(reader, struct event_stream, reader, EVENT_STREAM_MAGIC);
    if (events->x) {
        begin_answer(events);
    } else {
        http_stream_wake(events->stream);
    }
}

static struct event_stream *create(struct http_exchange *x)
{
    const struct caller *caller = api_caller(x);
    struct event_stream *events = calloc(1, sizeof *events);
    if (!events) {
        return NULL;
    }
    OWNER_SET(events, EVENT_STREAM_MAGIC);
    OWNER_SET(&events->subscriber, SUBSCRIBER_MAGIC);
    events->subscriber.wake = wake;
    OWNER_SET(&events->reader, EVENT_READER_MAGIC);
    events->reader.done = read_done;
    events->loop = api_loop_of(x);
    events->x = x;
    events->user = caller->user;
    events->actor = api_actor(x);
    events->of_script = caller->scopes != 0;
    events->prefix = http_path_prefix(x);
    events->begun_ms = clock_mono_ms();
    events->end_ms = INT64_MAX;
    if (caller->expires_at > 0) {
        const int64_t left_ms = caller->expires_at * 1000 - clock_wall_ms();
        events->end_ms = events->begun_ms + (left_ms > 0 ? left_ms : 0);
    }
    events->trusted = trust_now(events) - 1; /* asked for before anything is sent */
    events->id_len = (uint8_t)x->request.id.len;
    memcpy(events->id, x->request.id.ptr, events->id_len);
    return events;
}

void event_stream_begin(struct http_exchange *x, const struct store_changes_place *place, bool gone)
{
    static_assert(ID_MOST >= 64, "the longest id of a request");
    if (!http_stream_admit(x)) {
        return;
    }
    struct event_stream *events = create(x);
    const enum subscribers_verdict verdict =
        events ? subscribers_join(events->loop->subscribers, &events->subscriber, events->user)
               : SUBSCRIBERS_NO_MEMORY;
    if (verdict == SUBSCRIBERS_JOINED) {
        events->place = *place;
        events->gone = gone;
        events->news = events->owes = true;
        if (!gone && !read_changes(events)) {
            destroy(events);
            respond_no_memory(x);
        } else if (gone || events->reader.of->done) {
            begin_answer(events);
        }
        return;
    }
    if (events) {
        destroy(events);
    }
    if (verdict == SUBSCRIBERS_TOO_MANY) {
        http_respond_field(x, "Retry-After", SLICE("5"));
        respond_error(x, ERROR_TOO_MANY_STREAMS, NULL);
    } else {
        respond_no_memory(x);
    }
}
