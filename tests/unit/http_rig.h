// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_HTTP_RIG_H
#define TASKHOLD_TESTS_HTTP_RIG_H

#include "http/server.h"

/* A server on a free port with small routes, on a thread of its own, and a blocking client. Every
 * wait of the client is bounded; running into the bound fails the test.
 *
 *   GET /plain      `hello`            POST /echo      the body
 *   GET /big        RIG_BIG bytes      GET /fixed      the same, not copied
 *   GET /stream     RIG_BIG bytes      GET /drip       what rig_drip gives
 *   GET /events     what rig_flow gives, as a stream of its own
 *   GET /client     the address of the client
 *   GET /broken     a field with a line break
 *   GET /later      answers when rig_release is called
 *   GET /token      authorize decides later; rig_release lets it go on
 *   POST /token     the same, and then the body
 *   GET /health     is answered under overload too */

#define RIG_BIG ((size_t)4 * 1024 * 1024)

struct rig {
    struct http_server *server;
    uint16_t port;
    int result;
    unsigned long thread;
};

/* `given`: NULL, or time limits, origins and bounds to take over. */
void rig_start(struct rig *rig, const struct http_server_options *given);

/* Stops, joins and checks that the run ended with 0. */
void rig_stop(struct rig *rig);

/* Waits until an exchange of /later or /token is parked, then lets it go on its loop. */
void rig_wait_parked(void);
void rig_release(void);

/* Gives the parked /drip its next piece; NULL ends it. */
void rig_drip(const char *piece);

/* The same for /events: the next piece, NULL ends it; one of RIG_BIG bytes; waits until the piece
 * was taken. While it is held nothing is sent. How long one that begins from now on lasts at most
 * (0: for ever). Cuts it. */
void rig_flow(const char *text);
void rig_flow_later(const char *text, int ms);
void rig_flow_big(void);
void rig_flow_taken(void);
void rig_flow_hold(bool holds);
void rig_flow_ends_after(int ms);
void rig_flow_cut(void);

/* Of http_rig_flow.c, for http_rig.c. */
void rig_flow_begin(struct http_exchange *x);
void rig_flow_reset(void);
void rig_note_closed(void);

/* How often the answered hook and the stream's close were called since the start. */
unsigned rig_answered(void);
unsigned rig_closed(void);
void rig_wait_answered(unsigned count);
void rig_wait_closed(unsigned count);

/* How many bytes /stream has produced. */
size_t rig_streamed(void);

/* ---- The client ---- */

int rig_connect(const struct rig *rig);
int rig_socket(void);
void rig_connect_socket(const struct rig *rig, int fd);
void rig_send(int fd, const char *text);

struct rig_answer {
    int status;
    size_t body_len;
    bool closes; /* Connection: close */
    bool chunked;
    char head[4096]; /* NUL at the end */
    char body[4096]; /* the start of it, NUL at the end */
    size_t matches;  /* leading bytes of the body that are those of the big one */
};

/* Reads one answer, chunked ones decoded. Fails the test when none comes. */
void rig_read(int fd, struct rig_answer *answer, bool head_only);

/* Whether the server closes now, and sends nothing before. */
bool rig_is_closed(int fd);

/* Sends one request on a fresh connection and reads one answer. */
int rig_ask(const struct rig *rig, const char *text, struct rig_answer *answer);

#endif
