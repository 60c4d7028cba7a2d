// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_SIGNALS_H
#define TASKHOLD_CLI_SIGNALS_H

#include <stdbool.h>

/* The signals of a server. SIGTERM, SIGINT and SIGHUP are taken by a thread of their own, which may
 * log, lock and read files as any other; no other thread is interrupted. From the first moment:
 * also as PID 1 of a container, where a signal without a handler is lost, and while the start waits
 * for a database. */

struct signals_hooks {
    void *context;
    void (*stop)(void *context, const char *name); /* SIGTERM or SIGINT, each time */
    void (*reload)(void *context);                 /* SIGHUP */
};

/* To be called before any other thread is made: they inherit that these signals are blocked. The
 * hooks are called on the thread. False: the thread cannot start. */
bool signals_start(const struct signals_hooks *hooks);

/* Ends the thread; no hook runs any more when this returns. */
void signals_end(void);

#endif
