// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_NEEDS_H
#define TASKHOLD_STORE_POSTGRES_NEEDS_H

#include <stdbool.h>
#include <stdint.h>

/* What libpq may need of the machine to connect again and again: told one by one. */
struct postgres_needs {
    void *context;
    void (*file)(void *context, const char *path); /* to read; perhaps not there */
    void (*port)(void *context, uint16_t port);    /* to connect to */

    /* Given back: */
    bool ports_known; /* `port` was told them all */
    bool abstract;    /* a host is a Unix socket without a file */
};

/* `url`: a DATABASE_URL that was judged to be good. Without memory no ports are known. */
void postgres_needs_tell(const char *url, struct postgres_needs *needs);

#endif
