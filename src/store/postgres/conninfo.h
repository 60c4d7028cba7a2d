// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_CONNINFO_H
#define TASKHOLD_STORE_POSTGRES_CONNINFO_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* What libpq is told when it connects: the parts of a URL, and what we want under and above them.
 * It points into itself: not to be copied. */
#define CONNINFO_MOST 64

struct conninfo {
    const char *keywords[CONNINFO_MOST + 1]; /* ended by NULL, for PQconnectdbParams */
    const char *values[CONNINFO_MOST + 1];
    unsigned hosts; /* that the URL names; at least 1 */

    /* What the values point to: */
    PQconninfoOption *parts;
    char *lists[3];
    char timeout[16];
};

/* `first`: which of the hosts is tried first, below `hosts`; the others follow in turn. Any server
 * will do that answers: whether it takes writes, libpq reads from what the server says in its
 * greeting, and a pooler repeats the greeting of an earlier time; so that has to be asked. False:
 * `why` holds one line without the password. */
bool conninfo_init(struct conninfo *info, const char *url, unsigned timeout_ms, unsigned first,
                   char *why, size_t why_size);
void conninfo_finish(struct conninfo *info);

/* Whether a URL can be right at all: it is read, and libpq takes each of its values. Asks no
 * server. False: `why` holds one line without the password that names DATABASE_URL. */
bool conninfo_judge(const char *url, char *why, size_t why_size);

/* Which of the hosts of the URL a connection has; `first` as it was for conninfo_init. */
unsigned conninfo_host_of(const struct conninfo *info, unsigned first, const PGconn *connection);

/* The value of a keyword; NULL: none. */
const char *conninfo_value(const struct conninfo *info, const char *keyword);

/* Gives a keyword that is there another value, which the caller keeps alive; returns the one
 * before.
 */
const char *conninfo_replace(struct conninfo *info, const char *keyword, const char *value);

#endif
