// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_SCOPE_H
#define TASKHOLD_MODEL_SCOPE_H

#include "base/slice.h"

/* What a token of a script may be good for. A set of scopes is their bits. */
enum scope {
    SCOPE_TASKS_READ = 1,
    SCOPE_TASKS_WRITE = 2, /* includes reading */
    SCOPE_ACCOUNT_READ = 4,
};

#define SCOPE_COUNT 3
#define SCOPE_ALL   (SCOPE_TASKS_READ | SCOPE_TASKS_WRITE | SCOPE_ACCOUNT_READ)

/* Bytes of a set with all of them, as scope_write has it. */
#define SCOPE_TEXT_MOST 35

/* `tasks:read` and so on, by number from 0: that of the bit. */
extern const struct slice scope_names[SCOPE_COUNT];

/* The bit of that name; 0: there is none. */
unsigned scope_named(struct slice name);

/* The bits of a set as model/field_json.h keeps one: a JSON array of names that are scopes. */
unsigned scope_read(struct slice strings);

/* The names with a space between (RFC 6749 section 3.3), in the order of the bits, no NUL. */
struct slice scope_write(unsigned scopes, char text[static SCOPE_TEXT_MOST]);

/* Are the scopes `held` enough for a call that needs all of `needed`? A call that needs none is one
 * that no token of a script may make: never. */
bool scope_covers(unsigned held, unsigned needed);

#endif
