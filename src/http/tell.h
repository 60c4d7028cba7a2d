// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_TELL_H
#define TASKHOLD_HTTP_TELL_H

#include "http/server.h"

/* What is told to every loop of a server and not yet heard by all of them (http_server_tell). */
struct tell;

/* Ends what was never heard: the loops are gone. */
void tell_drop_all(struct http_server *server);

#endif
