// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_RELOAD_H
#define TASKHOLD_CLI_RELOAD_H

#include "auth/keys.h"
#include "base/settings.h"
#include "http/server.h"

/* What a running server reads again: secrets (JWT_SECRET, JWT_SECRET_PREVIOUS, their files, the one
 * beside the database), LOG_LEVEL, CORS_ORIGINS, TRUSTED_PROXIES and CLIENT_ADDRESS_HEADER, from
 * flags, files and `.env`; the environment of a process does not change. */
struct reload {
    int argc; /* of the command */
    char **argv;
    struct settings *settings; /* in force; what is taken over is put in there */
    const char *file;          /* the database, for the secret beside it; NULL: none */
    struct http_server *server;
    struct keys **keys; /* in force; replaced */
};

/* Reads all of it and takes over what is good; of the rest the old stays, and the log says why. */
void reload_run(struct reload *reload);

/* The keys of the settings, or of the secret beside `file`. `make`: that is made where it is not
 * there. NULL with one line in `why`. */
struct keys *reload_keys(const struct settings *settings, const char *file, bool make, char *why,
                         size_t why_size);

#endif
