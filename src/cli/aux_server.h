// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_AUX_SERVER_H
#define TASKHOLD_CLI_AUX_SERVER_H

#include "api/api.h"

/* A small HTTP server on a thread of its own, beside the one of the API or without it. */
struct aux_server;

/* The path of the control socket of the database `file`, to be freed; NULL without memory. */
char *aux_server_control_path(const char *file);

/* Answers the calls of the control socket for the database `file`, which only its owner and root
 * may use. Whoever starts it holds the lock of the database, so a socket that is there already was
 * of a process that is gone. `api` is borrowed. NULL: `*why` is a line. */
struct aux_server *aux_server_control(struct api *api, const char *file, const char **why);

/* Answers /metrics at `address`, HOST:PORT with an IPv6 host in brackets, as the settings have
 * checked it. `api` is borrowed. NULL: a line is in `why`. */
struct aux_server *aux_server_metrics(struct api *api, const char *address, char *why, size_t size);

/* Where /metrics can be asked: `http://127.0.0.1:9100/metrics`. */
const char *aux_server_url(const struct aux_server *server);

/* Ends its loop, and removes its socket. To be called while the api and the store are there. NULL
 * is nothing. */
void aux_server_stop(struct aux_server *server);

/* To be called when the store is closed, which may answer into the loop until then. */
void aux_server_destroy(struct aux_server **server);

#endif
