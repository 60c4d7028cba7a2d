// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_SERVER_STATE_H
#define TASKHOLD_HTTP_SERVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/listener.h"
#include "http/policy.h"
#include "http/server.h"

/* What the loops of one server share. All but the atomics is constant while they run. */
struct http_server {
    struct http_server_options options;
    struct http_router *router;
    struct policy *policy; /* the newest; each loop has its own pointer */
    struct tell *tells;    /* that not every loop has heard; under the lock */
    struct addresses *addresses;
    struct http_metrics *metrics; /* NULL: nothing is counted */
    size_t connections_most;      /* for each loop */
    size_t streams_most;          /* of them */
    size_t bytes_most;            /* for each loop */
    uint16_t port;
    struct listener *listeners; /* one for each loop; empty: the loop has it */
    bool bound;
    bool shared;             /* the listeners are one socket, inherited */
    const char *unix_socket; /* the socket file to remove; NULL: none */
    struct http_loop **loops;
    int stop_fd; /* eventfds that are readable from the first and the second stop on */
    int end_fd;
    atomic_uint stops;
    atomic_uint beat_round; /* counts from 1: see http_server_options.beat */
    atomic_uint beat_count; /* loops that have turned in this round */

    /* The start: each loop reports, then `run` tells whether all go on. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned started;
    unsigned failed;
    char why[256]; /* the first that failed; "" while none has */
    enum { SERVER_STARTING, SERVER_GOING, SERVER_GIVEN_UP } verdict;
};

#endif
