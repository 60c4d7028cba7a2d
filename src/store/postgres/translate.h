// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_TRANSLATE_H
#define TASKHOLD_STORE_POSTGRES_TRANSLATE_H

#include <stdbool.h>

#include "base/error.h"

/* What PostgreSQL's error codes (SQLSTATE) mean to a transaction that was rolled back by them. */
struct translation {
    enum error error; /* what the caller is told when it is not run again */
    bool again;       /* the whole transaction may succeed when it runs again: a conflict */
    bool discard;     /* the connection is of no use any more */
};

/* `sqlstate`: five characters; NULL (libpq made the error itself: the connection was lost). */
struct translation translate(const char *sqlstate);

#endif
