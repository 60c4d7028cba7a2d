// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_NOTIFY_H
#define TASKHOLD_BASE_NOTIFY_H

#include <stdbool.h>

/* Telling a service manager how we are, by the protocol of sd_notify(3): datagrams of NAME=VALUE
 * lines to the socket that $NOTIFY_SOCKET names, a path or `@` and an abstract name. One for the
 * process, open until it ends, because signals may come until then. */

/* Opens the way; to be called once, before the others. True also when no manager wants to know;
 * false when one does and its socket cannot be reached. */
bool notify_open(void);

/* Sends `state`, such as "READY=1". Without a manager it does nothing, a full queue loses it. Any
 * thread; async-signal-safe. */
void notify_send(const char *state);

/* Tells that the settings are being read again; READY=1 tells the end of it. */
void notify_reloading(void);

/* The milliseconds that may pass between two WATCHDOG=1 ($WATCHDOG_USEC, if $WATCHDOG_PID is us or
 * not set); 0: nobody watches. */
unsigned notify_watchdog_ms(void);

#endif
