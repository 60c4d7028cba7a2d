// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CONTROL_SERVER_H
#define TASKHOLD_CLI_CONTROL_SERVER_H

#include "api/api.h"

/* The control socket: a second HTTP server of one loop, on a socket beside the database file that
 * only its owner and root may use. Whoever starts one holds the lock of the database, so a socket
 * that is there already was left behind by a process that is gone. */
struct control_server;

/* The socket for the database `file`, to be freed; NULL without memory. */
char *control_server_path(const char *file);

/* Answers api_control_routes for the database `file`, on threads of its own. NULL:
 * `*why` is a line. */
struct control_server *control_server_start(struct api *api, const char *file, const char **why);

/* Ends the loop and removes the socket. To be called while the api and the store are there. NULL is
 * nothing. */
void control_server_stop(struct control_server *server);

/* To be called when the store is closed, which may answer into the loop until then. */
void control_server_destroy(struct control_server **server);

#endif
