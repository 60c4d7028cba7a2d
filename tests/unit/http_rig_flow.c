// SPDX-License-Identifier: MIT
#include "http_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "http/stream.h"

/* GET /events of the rig: one stream at a time that is spoken to (the last one that was begun). */

#define PATIENCE_SECONDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct http_stream *flowing;
static struct http_loop *flowing_on;
static const char *piece;
static bool is_big;
static bool ends;
static bool cuts; /* with the next word to the loop */
static int later_ms;
static atomic_bool held;
static atomic_int end_ms;

static enum http_stream_step pull(void *source, struct buffer *out)
{
    enum http_stream_step step = HTTP_STREAM_WAIT;
    (void)source;
    pthread_mutex_lock(&lock);
    if (is_big) {
        char *at = buffer_reserve(out, RIG_BIG);
        assert_non_null(at);
        memset(at, 'a', RIG_BIG);
        out->len += RIG_BIG;
        step = HTTP_STREAM_MORE;
    } else if (piece) {
        buffer_add_text(out, piece);
        step = HTTP_STREAM_MORE;
    } else if (ends) {
        step = HTTP_STREAM_END;
    }
    is_big = false;
    piece = NULL;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return step;
}

static bool may_send(void *source)
{
    (void)source;
    return !atomic_load(&held);
}

static void say_bye(void *source, struct buffer *out)
{
    (void)source;
    buffer_add(out, SLICE("bye"));
}

static void stop(void *source)
{
    (void)source;
    pthread_mutex_lock(&lock);
    flowing = NULL;
    pthread_mutex_unlock(&lock);
    rig_note_closed();
}

void rig_flow_begin(struct http_exchange *x)
{
    static const struct http_stream_kind kind = {
        .pull = pull,
        .may_send = may_send,
        .pulse = {":\n", 2},
        .drain = say_bye,
        .close = stop,
    };
    if (!http_stream_admit(x)) {
        return;
    }
    if (x->request.method == HTTP_HEAD) {
        http_stream_promise(x);
        http_respond_body(x, 200, "text/event-stream");
        return;
    }
    struct http_stream *stream = http_stream_open(x, &kind, NULL);
    assert_non_null(stream);
    if (atomic_load(&end_ms) > 0) {
        http_stream_end_at(stream, clock_mono_ms() + atomic_load(&end_ms));
    }
    pthread_mutex_lock(&lock);
    flowing = stream;
    flowing_on = x->loop;
    piece = NULL;
    ends = is_big = cuts = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    http_respond_body(x, 200, "text/event-stream");
}

void rig_flow_reset(void)
{
    atomic_store(&held, false);
    atomic_store(&end_ms, 0);
}

/* ---- what the test says ---- */

/* With the lock held. */
static void wait_change(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    assert_int_equal(pthread_cond_timedwait(&changed, &lock, &until), 0);
}

static void on_word(struct inbox_message *message)
{
    free(message);
    pthread_mutex_lock(&lock);
    struct http_stream *stream = flowing;
    const bool cut = cuts;
    const int later = later_ms;
    cuts = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (stream && cut) {
        http_stream_cut(stream);
    } else if (stream && later > 0) {
        http_stream_wake_at(stream, clock_mono_ms() + later);
    } else if (stream) {
        http_stream_wake(stream);
    }
}

static void say_later(const char *text, bool big, bool cut, int later)
{
    struct inbox_message *message = calloc(1, sizeof *message);
    assert_non_null(message);
    message->run = on_word;
    pthread_mutex_lock(&lock);
    while (!flowing) {
        wait_change();
    }
    piece = text;
    is_big = big;
    cuts = cut;
    later_ms = later;
    ends = !text && !big && !cut;
    inbox_post(http_loop_inbox(flowing_on), message);
    pthread_mutex_unlock(&lock);
}

static void say(const char *text, bool big, bool cut)
{
    say_later(text, big, cut, 0);
}

void rig_flow_later(const char *text, int ms)
{
    say_later(text, false, false, ms);
}

void rig_flow(const char *text)
{
    say(text, false, false);
}

void rig_flow_big(void)
{
    say(NULL, true, false);
}

void rig_flow_cut(void)
{
    say(NULL, false, true);
    pthread_mutex_lock(&lock);
    while (cuts) { /* then the loop sends nothing more before it cuts */
        wait_change();
    }
    pthread_mutex_unlock(&lock);
}

void rig_flow_taken(void)
{
    pthread_mutex_lock(&lock);
    while (piece || is_big) {
        wait_change();
    }
    pthread_mutex_unlock(&lock);
}

void rig_flow_hold(bool holds)
{
    atomic_store(&held, holds);
}

void rig_flow_ends_after(int ms)
{
    atomic_store(&end_ms, ms);
}
