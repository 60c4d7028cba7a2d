// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CONTROL_H
#define TASKHOLD_CLI_CONTROL_H

#include "base/settings.h"
#include "cli/client.h"

/* Where a command carries out what it has to write. Only one process writes to a database file: the
 * server that runs, which is asked through its control socket; or, when the lock of the database is
 * free, this process, which opens it and answers the same calls itself for as long as the desk is
 * open. A database that many processes may write is always opened by this one. */
struct control_desk;

/* Opens the desk for DATABASE_URL. `make`: a database that is not there yet is made. CLI_OK, or an
 * exit status after one line on standard error. `settings` must outlive the desk. */
int control_open(struct control_desk **out, const struct settings *settings, bool make);

/* Gives the database back. */
void control_close(struct control_desk **out);

/* Makes a call of api_control_routes; without `body` a GET. CLI_OK when an answer came, whatever
 * it says; else CLI_FAILED after one line on standard error. The answer is to be finished either
 * way. */
int control_ask(struct control_desk *desk, const char *path, struct slice body,
                struct client_answer *answer);

#endif
