// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_WATCHDOG_H
#define TASKHOLD_HTTP_WATCHDOG_H

#include "http/server.h"

/* A thread that asks every loop again and again whether it still turns, and calls the options'
 * `beat` each time all of them have answered. A loop that hangs keeps it silent. During a drain,
 * which ends by itself, it is called without asking. */
struct watchdog;

/* NULL without memory or a thread. `server`'s loops must exist. */
struct watchdog *watchdog_start(struct http_server *server);

/* Ends the thread. What was asked may still lie in the inboxes, so the memory stays until
 * watchdog_destroy, which comes after the loops' end. NULL does nothing. */
void watchdog_stop(struct watchdog *watchdog);
void watchdog_destroy(struct watchdog **watchdog);

#endif
