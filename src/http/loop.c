// SPDX-License-Identifier: MIT
#include "http/loop.h"

#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/client_key.h"
#include "base/clock.h"
#include "base/thread.h"
#include "http/acceptor.h"
#include "http/connection.h"
#include "http/http_metrics.h"

#define IN_FLIGHT_MOST 4096
#define BUFFER_MOST    ((size_t)128 * 1024 * 1024)
#define BUFFER_KEEP    ((size_t)64 * 1024) /* larger ones are freed at once */
/* More than this is worth giving back. */
#define SWOLLEN_BYTES ((size_t)2 * 1024 * 1024)
#define SWOLLEN_COUNT 1024 /* connections */
#define TRIM_AFTER_MS 1000
#define CALLS_MOST    64   /* for events, in one turn */
#define LOOK_MOST     1024 /* idle connections, for one of a client */
#define SPARE_MOST    256  /* connections */

struct http_loop *http_loop_create(struct http_server *server, unsigned number,
                                   struct listener *listener)
{
    struct http_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return NULL;
    }
    loop->server = server;
    loop->policy = server->policy;
    loop->number = number;
    loop->idle_tail = &loop->idle;
    OWNER_SET(loop, LOOP_MAGIC);
    loop->now_us = clock_mono_us();
    loop->now_ms = loop->now_us / 1000;
    timers_init(&loop->timers, loop->now_ms);
    ledger_init(&loop->ledger, server->bytes_most);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop->inbox = inbox_create();
    struct epoll_event inbox = {.events = EPOLLIN, .data.ptr = &loop->inbox};
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = &server->stop_fd};
    struct epoll_event end = {.events = EPOLLIN, .data.ptr = &server->end_fd};
    if (loop->epoll < 0 || loop->spare_fd < 0 || !loop->inbox ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, inbox_fd(loop->inbox), &inbox) != 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, server->stop_fd, &stop) != 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, server->end_fd, &end) != 0) {
        http_loop_destroy(&loop);
        return NULL;
    }
    loop->listener = *listener;
    listener->count = 0;
    return loop;
}

bool http_loop_watch(struct http_loop *loop, int descriptor)
{
    struct epoll_event owner = {.events = EPOLLIN, .data.ptr = &loop->context};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &owner) == 0;
}

void http_loop_take_policy(struct http_loop *loop, void *policy)
{
    assert(policy);
    loop->policy = policy;
    for (struct http_connection *c = loop->connections; c; c = c->next) {
        http_connection_judge(c);
    }
}

void http_loop_destroy(struct http_loop **loop)
{
    struct http_loop *gone = *loop;
    if (!gone) {
        return;
    }
    while (gone->connections) {
        http_connection_abandon(gone->connections);
    }
    while (gone->spare_buffer_count > 0) {
        buffer_finish(&gone->spare_buffers[--gone->spare_buffer_count]);
    }
    while (gone->spare_requests) {
        struct request_state *state = gone->spare_requests;
        gone->spare_requests = state->next;
        request_destroy(&state);
    }
    while (gone->spare_connections) {
        struct http_connection *connection = gone->spare_connections;
        gone->spare_connections = connection->next;
        free(connection);
    }
    ledger_finish(&gone->ledger);
    inbox_destroy(&gone->inbox);
    listener_close(&gone->listener);
    if (gone->spare_fd >= 0) {
        close(gone->spare_fd);
    }
    if (gone->epoll >= 0) {
        close(gone->epoll);
    }
    OWNER_END(gone);
    free(gone);
    *loop = NULL;
}

/* ---- Pools ---- */

struct http_connection *http_loop_take_connection(struct http_loop *loop)
{
    struct http_connection *c = loop->spare_connections;
    if (c) {
        loop->spare_connections = c->next;
        loop->spare_connection_count--;
    } else {
        c = malloc(sizeof *c);
    }
    if (!c) {
        return NULL;
    }
    memset(c, 0, sizeof *c);
    OWNER_SET(c, CONNECTION_MAGIC);
    buffer_init(&c->in, BUFFER_MOST);
    buffer_init(&c->out, BUFFER_MOST);
    c->next = loop->connections;
    if (c->next) {
        c->next->previous = c;
    }
    loop->connections = c;
    loop->connection_count++;
    return c;
}

void http_loop_forget(struct http_loop *loop, struct http_connection *c)
{
    ready_drop(loop, c);
    http_loop_busy(loop, c);
    if (c->previous) {
        c->previous->next = c->next;
    } else {
        loop->connections = c->next;
    }
    if (c->next) {
        c->next->previous = c->previous;
    }
    loop->connection_count--;
    acceptor_left(loop, c);
    OWNER_END(c);
    if (loop->spare_connection_count >= SPARE_MOST) {
        free(c);
        return;
    }
    c->next = loop->spare_connections;
    loop->spare_connections = c;
    loop->spare_connection_count++;
}

struct request_state *http_loop_take_request(struct http_loop *loop)
{
    struct request_state *state = loop->spare_requests;
    if (!state) {
        return request_create(loop->server->options.body_most);
    }
    loop->spare_requests = state->next;
    loop->spare_request_count--;
    return state;
}

void http_loop_give_request(struct http_loop *loop, struct request_state *state)
{
    if (loop->spare_request_count >= LOOP_SPARE_REQUESTS) {
        request_destroy(&state);
        return;
    }
    request_end(state);
    state->next = loop->spare_requests;
    loop->spare_requests = state;
    loop->spare_request_count++;
}

bool http_loop_take_buffer(struct http_loop *loop, struct buffer *buffer)
{
    if (buffer->data) {
        return true;
    }
    if (loop->spare_buffer_count > 0) {
        *buffer = loop->spare_buffers[--loop->spare_buffer_count];
        return true;
    }
    return buffer_reserve(buffer, LOOP_BUFFER_LEN) != NULL;
}

void http_loop_give_buffer(struct http_loop *loop, struct buffer *buffer)
{
    if (!buffer->data || buffer->capacity < LOOP_BUFFER_LEN || buffer->capacity > BUFFER_KEEP ||
        loop->spare_buffer_count == LOOP_SPARE_BUFFERS) {
        buffer_finish(buffer);
        return;
    }
    assert(loop->spare_buffer_count < LOOP_SPARE_BUFFERS);
    buffer_clear(buffer);
    loop->spare_buffers[loop->spare_buffer_count++] = *buffer;
    buffer_init(buffer, BUFFER_MOST);
}

/* ---- What the requests ask ---- */

void *http_loop_context(const struct http_loop *loop)
{
    assert(OWNER_IS(loop, LOOP_MAGIC));
    return loop->context;
}

struct inbox *http_loop_inbox(const struct http_loop *loop)
{
    assert(OWNER_IS(loop, LOOP_MAGIC));
    return loop->inbox;
}

struct slice http_loop_stamp(struct http_loop *loop)
{
    int64_t now_ms = loop->now_ms;
    if (now_ms >= loop->stamp_until_ms) {
        int64_t wall_ms = clock_wall_ms();
        struct buffer stamp = {
            .data = loop->stamp, .capacity = LOOP_STAMP_MOST, .most = LOOP_STAMP_MOST};
        buffer_add(&stamp, SLICE("Date: "));
        clock_add_http_date(&stamp, wall_ms);
        buffer_add(&stamp, SLICE("\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: "));
        loop->stamp_len = stamp.len;
        loop->stamp_until_ms = now_ms + 1000 - wall_ms % 1000;
    }
    return (struct slice){loop->stamp, loop->stamp_len};
}

void http_loop_spend(struct http_loop *loop, struct account *account)
{
    const int64_t now_us = clock_mono_us();
    ledger_spend(&loop->ledger, account, now_us - loop->charged_us);
    loop->charged_us = now_us;
}

bool http_loop_overloaded(const struct http_loop *loop, const struct http_connection *c,
                          bool expensive)
{
    if (loop->in_flight > IN_FLIGHT_MOST || c->late) {
        return true;
    }
    return loop->overload.standing &&
           overload_refuses(&loop->overload, clock_mono_us() - loop->now_us, expensive);
}

void http_loop_queue(struct http_loop *loop, struct http_connection *c)
{
    assert(OWNER_IS(c, CONNECTION_MAGIC) && c->loop == loop);
    /* One change may wake hundreds of streams: they have a part of the turn, not all of it. */
    const bool shares = c->running || c->state == CONNECTION_STREAMING;
    ready_add(loop, c, shares ? READY_AGAIN : READY_DUE);
}

/* ---- Connections that wait for nothing ---- */

void http_loop_idle(struct http_loop *loop, struct http_connection *c)
{
    assert(!c->previous_idle);
    c->next_idle = NULL;
    c->previous_idle = loop->idle_tail;
    *loop->idle_tail = c;
    loop->idle_tail = &c->next_idle;
}

void http_loop_busy(struct http_loop *loop, struct http_connection *c)
{
    if (!c->previous_idle) {
        return;
    }
    *c->previous_idle = c->next_idle;
    if (c->next_idle) {
        c->next_idle->previous_idle = c->previous_idle;
    } else {
        loop->idle_tail = c->previous_idle;
    }
    c->previous_idle = NULL;
}

static bool is_same(const struct in6_addr *a, const struct in6_addr *b)
{
    uint8_t keys[2][CLIENT_KEY_LEN];
    client_key(a, keys[0]);
    client_key(b, keys[1]);
    return memcmp(keys[0], keys[1], CLIENT_KEY_LEN) == 0;
}

bool http_loop_make_way(struct http_loop *loop, const struct in6_addr *address)
{
    struct http_connection *c = loop->idle;
    for (unsigned i = 0; c && i < LOOK_MOST; i++, c = c->next_idle) {
        if (c->queued == READY_NOT && !c->guest &&
            (!address || (c->counted && is_same(&c->address, address)))) {
            http_connection_yield(c);
            return true;
        }
    }
    return false;
}

/* ---- The turns ---- */

static void begin_stop(struct http_loop *loop)
{
    if (loop->stopping) {
        return;
    }
    int64_t delay_ms = (int64_t)loop->server->options.drain_delay_seconds * 1000;
    loop->stopping = true;
    loop->close_at_ms = loop->now_ms + delay_ms;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->server->stop_fd, NULL);
}

/* The idle ones look once for a last request, and then end. */
static void begin_drain(struct http_loop *loop)
{
    int64_t patience_ms = (int64_t)loop->server->options.drain_seconds * 1000;
    loop->draining = true;
    loop->drain_until_ms = loop->now_ms + patience_ms;
    acceptor_stop(loop);
    for (struct http_connection *c = loop->connections; c; c = c->next) {
        c->readable = true;
        http_loop_queue(loop, c);
    }
}

static int sooner(int wait, int64_t at_ms, int64_t now_ms)
{
    const int64_t left = at_ms > now_ms ? at_ms - now_ms : 0;
    return wait >= 0 && wait < left ? wait : (int)left;
}

static int wait_ms(const struct http_loop *loop)
{
    const int64_t now_ms = loop->now_ms;
    if (ready_count(loop) > 0) {
        return 0;
    }
    int wait = timers_wait_ms(&loop->timers, now_ms);
    if (loop->stopping) {
        wait = sooner(wait, loop->draining ? loop->drain_until_ms : loop->close_at_ms, now_ms);
    }
    if (loop->trim_at_ms != 0) {
        wait = sooner(wait, loop->trim_at_ms, now_ms);
    }
    if (loop->resume_ms != 0 && !loop->draining) {
        wait = sooner(wait, loop->resume_ms, now_ms);
    }
    if (loop->server->options.beat_ms > 0) {
        wait = sooner(wait, loop->beat_at_ms, now_ms);
    }
    return wait;
}

/* Waits for events. Whether all work is done is only worth a call after a turn that was long. */
static int await(struct http_loop *loop)
{
    const int timeout_ms = wait_ms(loop);
    if (timeout_ms != 0 && loop->turn_us > OVERLOAD_TARGET_US) {
        const int count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS_MOST, 0);
        if (count != 0) {
            return count;
        }
        overload_idle(&loop->overload);
    }
    const int count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS_MOST, timeout_ms);
    if (timeout_ms != 0 && loop->overload.standing &&
        clock_mono_us() - (loop->now_us + loop->turn_us) >= OVERLOAD_IDLE_US) {
        overload_idle(&loop->overload);
    }
    return count;
}

/* A while after much memory was held it goes back to the system: the allocator keeps what is free
 * below anything that is in use. */
static void trim(struct http_loop *loop)
{
    const int64_t now_ms = loop->now_ms;
    const bool much = loop->ledger.held > SWOLLEN_BYTES || loop->connection_count > SWOLLEN_COUNT;
    if (much || !loop->swollen) {
        loop->swollen = loop->swollen || much;
        loop->trim_at_ms = 0;
    } else if (loop->trim_at_ms == 0) {
        loop->trim_at_ms = now_ms + TRIM_AFTER_MS;
    } else if (now_ms >= loop->trim_at_ms) {
        loop->swollen = false;
        loop->trim_at_ms = 0;
        (void)malloc_trim(0);
    }
}

/* What the loop itself has to do in a turn. */
struct errands {
    bool mail;
    bool accept;
    bool owner;
};

static void sort_events(struct http_loop *loop, int count, struct errands *errands)
{
    for (int i = 0; i < count; i++) {
        void *what = loop->events[i].data.ptr;
        if (what == &loop->inbox) {
            errands->mail = true;
        } else if (what == &loop->context) {
            errands->owner = true;
        } else if (what == &loop->listener) {
            errands->accept = true;
        } else if (what == &loop->server->stop_fd) {
            begin_stop(loop);
        } else if (what == &loop->server->end_fd) {
            loop->ended = true;
        } else {
            http_connection_event(OWNER_CAST(what, struct http_connection, CONNECTION_MAGIC),
                                  loop->events[i].events);
        }
    }
}

static void turn(struct http_loop *loop)
{
    struct errands errands = {0};
    int count = await(loop);
    loop->now_us = clock_mono_us();
    loop->now_ms = loop->now_us / 1000;
    loop->charged_us = loop->now_us;
    loop->turn++;
    ledger_tick(&loop->ledger, loop->now_us);
    sort_events(loop, count, &errands);
    /* All that the kernel has: what waits there is not seen to wait. */
    for (unsigned i = 0; count == LOOP_EVENTS_MOST && i < CALLS_MOST; i++) {
        count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS_MOST, 0);
        sort_events(loop, count, &errands);
    }
    if (errands.owner) {
        loop->server->options.hooks.ready(loop->context);
    }
    if (errands.accept && loop->listening) {
        acceptor_accept(loop);
    }
    if (errands.mail) {
        inbox_run(loop->inbox);
    }
    if (loop->stopping && !loop->draining && loop->now_ms >= loop->close_at_ms) {
        begin_drain(loop);
    }
    ready_run(loop);
    struct timer *timer = timers_expired(&loop->timers, loop->now_ms);
    while (timer) {
        http_connection_expire(OWNER_OF(timer, struct http_connection, timer, CONNECTION_MAGIC));
        timer = timers_expired(&loop->timers, loop->now_ms);
    }
    if (loop->resume_ms != 0 && loop->now_ms >= loop->resume_ms) {
        acceptor_resume(loop);
    }
    trim(loop);
}

/* Says that this loop turns. The last of all loops to say so in a round calls the owner and begins
 * the next round, so a loop that hangs keeps it silent. In a drain, which ends by itself and in
 * which loops end one after the other, none waits for another. */
static void beat(struct http_loop *loop)
{
    struct http_server *server = loop->server;
    const unsigned round = atomic_load(&server->beat_round);
    loop->beat_at_ms = loop->now_ms + server->options.beat_ms;
    if (http_server_draining(server)) {
        server->options.beat();
    } else if (loop->beat_round != round) {
        loop->beat_round = round;
        if (atomic_fetch_add(&server->beat_count, 1) + 1 == server->options.threads) {
            atomic_store(&server->beat_count, 0);
            atomic_store(&server->beat_round, round + 1);
            server->options.beat();
        }
    }
}

void http_loop_run(struct http_loop *loop)
{
    const struct http_hooks *hooks = &loop->server->options.hooks;
    thread_share(THREAD_PROMPT);
    while (!loop->ended) {
        turn(loop);
        if (hooks->turn_end) {
            hooks->turn_end(loop->context);
        }
        if (loop->server->options.beat_ms > 0 && loop->now_ms >= loop->beat_at_ms) {
            beat(loop);
        }
        if (loop->server->metrics) {
            http_metrics_turn(loop);
        }
        if (ready_count(loop) > 0 && loop->in_flight > 0) {
            /* A loop that never waits keeps others from its processor, up to a tick of the kernel:
             * the writer as well, whose answers it has to give. */
            (void)sched_yield();
        }
        const int64_t done_us = clock_mono_us();
        loop->turn_us = done_us - loop->now_us;
        const int64_t age_us = ready_age_us(loop, done_us);
        overload_turn(&loop->overload, done_us, age_us > loop->turn_us ? age_us : loop->turn_us);
        if (loop->draining &&
            (loop->connection_count == 0 || loop->now_ms >= loop->drain_until_ms)) {
            loop->ended = true;
        }
    }
    acceptor_stop(loop);
}
