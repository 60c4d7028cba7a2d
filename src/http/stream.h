// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_STREAM_H
#define TASKHOLD_HTTP_STREAM_H

#include "base/owner.h"
#include "http/message.h"

/* An answer that has no end of its own: it lives for hours after its request. So it keeps nothing
 * of that: with the head on its way the request is over (logged, counted, its memory given back),
 * and what is left is the connection, this, and whatever the source keeps. It holds bytes only
 * while the client does not take them.
 *
 * All calls on the loop of the connection. */
struct http_stream;

#define HTTP_STREAM_PIECE ((size_t)64 * 1024)

struct http_stream_kind {
    /* Appends what there is for the client now, and says so with HTTP_STREAM_MORE; see message.h.
     * Called when the client has taken all that was given before: so at most HTTP_STREAM_PIECE
     * bytes, or one thing that is larger, wait for one client. */
    http_stream_fn *pull;

    /* May what was given and is not sent yet be sent now? False: it is kept until http_stream_wake,
     * or dropped by http_stream_cut. NULL: always. */
    bool (*may_send)(void *source);

    /* Appended when nothing was sent for 15 s, so that nobody in between takes the connection for
     * dead. */
    struct slice pulse;

    /* The server drains: appends last words. May be NULL. */
    void (*drain)(void *source, struct buffer *out);

    /* Called once at the end, whatever the end is. */
    void (*close)(void *source);
};

/* Whether there is a place for one more. False: 503 was sent. */
bool http_stream_admit(struct http_exchange *x) __attribute__((warn_unused_result));

/* Makes the stream that the answer of `x` begins, which is then to be sent with a body that is
 * empty. NULL without memory: `source` is still the caller's. From now on it is closed at the end,
 * also of an answer that fails. */
struct http_stream *http_stream_open(struct http_exchange *x, const struct http_stream_kind *kind,
                                     void *source) __attribute__((warn_unused_result));

/* For HEAD: the head of such an answer. */
void http_stream_promise(struct http_exchange *x);

/* It is cut at this moment of clock_mono_ms at the latest. */
void http_stream_end_at(struct http_stream *stream, int64_t end_ms);

/* Has `pull` called, as soon as the client has room. */
void http_stream_wake(struct http_stream *stream);

/* The same at this moment of clock_mono_ms (at most one tick of timers.h late), unless it is woken
 * before. The last call counts. */
void http_stream_wake_at(struct http_stream *stream, int64_t wake_ms);

/* Ends it now: of what was given, nothing more is sent. The client sees a proper end. */
void http_stream_cut(struct http_stream *stream);

/* ---- for the way out and the connection ---- */

#define HTTP_STREAM_MAGIC 0x7d2c51e9u

struct http_connection;

struct http_stream {
    unsigned magic; /* HTTP_STREAM_MAGIC */
    const struct http_stream_kind *kind;
    void *source;
    struct http_connection *connection; /* NULL: its head is not on its way */
    int64_t end_ms;                     /* TIMERS_NEVER: none */
    int64_t wake_ms;                    /* TIMERS_NEVER: none */
    size_t chunk;                       /* where in the output the last chunk begins, */
    size_t chunk_len;                   /* and how long its content is; 0: there is none */
    bool fresh;                         /* nothing was given yet */
    bool plain;                         /* HTTP/1.0: without chunks */
    bool waits;                         /* for http_stream_wake */
    bool woken;                         /* since the pull began */
    bool over;                          /* nothing more is asked for */
    bool cut;                           /* and of what was given nothing is left */
};

/* Calls `pull` once and frames what it gives, with the last chunk if that is its end. */
enum http_stream_step http_stream_frame(http_stream_fn *pull, void *source, bool plain,
                                        struct buffer *out);

/* Takes the stream over into the connection whose answer it is. */
void http_stream_attach(struct http_stream *stream, struct http_connection *c);

/* Asks the source for more, when the connection has nothing left to send. False: the connection is
 * gone. */
bool http_stream_pull(struct http_stream *stream);

/* May the connection send what it has? */
bool http_stream_may_send(const struct http_stream *stream);

/* The loop drains: the last words and the end. False: the connection is gone. */
bool http_stream_drain(struct http_stream *stream);

/* When something has to happen though nobody wakes it, by clock_mono_ms; and does that. False: the
 * client has taken nothing for too long. */
int64_t http_stream_deadline(const struct http_stream *stream);
bool http_stream_expire(struct http_stream *stream) __attribute__((warn_unused_result));

/* Closes the source. NULL is fine. */
void http_stream_destroy(struct http_stream **stream);

#endif
