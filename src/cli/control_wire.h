// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CONTROL_WIRE_H
#define TASKHOLD_CLI_CONTROL_WIRE_H

#include "cli/control.h"

/* The bytes of one call: HTTP/1.1, one request a connection. */

/* Sends a GET, or with a body a POST of JSON. No copy of the body stays in memory. */
bool control_wire_send(int fd, const char *path, struct slice body);

/* Reads the answer to its end. False: it is not whole. */
bool control_wire_receive(int fd, struct control_answer *answer);

#endif
