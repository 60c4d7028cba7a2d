// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CLIENT_H
#define TASKHOLD_CLI_CLIENT_H

#include "base/buffer.h"

/* The bytes of a call that a command makes: HTTP/1.1, one request a connection. */

struct client_answer {
    unsigned status;
    struct slice body; /* lives in `bytes` */
    struct buffer bytes;
};

/* Sends a GET, or with a body a POST of JSON. `host` is the field of that name. No copy of the body
 * stays in memory. */
bool client_send(int fd, const char *host, const char *path, struct slice body);

/* The status of a line such as `HTTP/1.1 200 OK`; 0: it is none. */
unsigned client_status(struct slice line);

/* Reads the answer to its end. False: it is not whole. It is to be finished either way. */
bool client_receive(int fd, struct client_answer *answer);
void client_answer_finish(struct client_answer *answer);

#endif
