// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_SCRIPT_TOKEN_H
#define TASKHOLD_MODEL_SCRIPT_TOKEN_H

#include "base/uuid.h"
#include "model/scope.h"

#define SCRIPT_TOKENS_MOST     50  /* that a user may have */
#define SCRIPT_TOKEN_NAME_MOST 100 /* code points */

/* How exact `last_used_at` is. A loop notes a use when the last one that it noted is half as old.
 */
#define SCRIPT_TOKEN_USED_MS 60000

/* A token that a user gave to a script, but for itself. Texts are borrowed; times in milliseconds
 * since 1970. */
struct script_token {
    struct uuid id;
    struct uuid user;
    unsigned scopes;      /* bits of enum scope, at least one */
    int64_t created_at;   /* also what the order of a list is */
    int64_t last_used_at; /* 0: never */
    int64_t expires_at;   /* 0: never */
    struct slice name;
    struct slice ip; /* address of the client of that use as text; ptr NULL: never */
};

#endif
