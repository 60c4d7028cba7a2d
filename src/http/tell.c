// SPDX-License-Identifier: MIT
#include "http/tell.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "http/loop.h"
#include "http/server_state.h"

struct told {
    struct inbox_message message; /* first: `hear` gets this address */
    struct tell *tell;
    struct http_loop *loop;
};

struct tell {
    struct tell *next; /* on the server's list */
    struct http_server *server;
    void (*run)(struct http_loop *loop, void *argument);
    void *argument;
    void (*done)(void *old);
    void *old;
    atomic_uint left; /* loops that have not heard it */
    struct told loops[];
};

static void finish(struct tell *tell)
{
    tell->done(tell->old);
    free(tell);
}

static void tell_end(struct tell *tell)
{
    struct http_server *server = tell->server;

    pthread_mutex_lock(&server->lock);
    struct tell **link = &server->tells;
    while (*link != tell) {
        link = &(*link)->next;
    }
    *link = tell->next;
    pthread_mutex_unlock(&server->lock);
    finish(tell);
}

static void hear(struct inbox_message *message)
{
    const struct told *told = (const struct told *)message;
    struct tell *tell = told->tell;

    tell->run(told->loop, tell->argument);
    if (atomic_fetch_sub(&tell->left, 1) == 1) {
        tell_end(tell);
    }
}

bool http_server_tell(struct http_server *server,
                      void (*run)(struct http_loop *loop, void *argument), void *argument,
                      void (*done)(void *old), void *old)
{
    const unsigned loops = server->options.threads;
    struct tell *tell = calloc(1, sizeof *tell + loops * sizeof(struct told));

    if (!tell) {
        return false;
    }
    tell->server = server;
    tell->run = run;
    tell->argument = argument;
    tell->done = done;
    tell->old = old;
    atomic_init(&tell->left, loops);
    pthread_mutex_lock(&server->lock);
    tell->next = server->tells;
    server->tells = tell;
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < loops; i++) {
        tell->loops[i] = (struct told){.message.run = hear, .tell = tell, .loop = server->loops[i]};
        inbox_post(server->loops[i]->inbox, &tell->loops[i].message);
    }
    return true;
}

void tell_drop_all(struct http_server *server)
{
    struct tell *tell = server->tells;

    server->tells = NULL;
    while (tell) {
        struct tell *next = tell->next;
        finish(tell);
        tell = next;
    }
}
