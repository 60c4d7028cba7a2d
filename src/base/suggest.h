// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SUGGEST_H
#define TASKHOLD_BASE_SUGGEST_H

#include <stddef.h>

/* Finds what somebody meant who mistyped a name. */
struct suggest {
    const char *word;    /* what was typed */
    const char *nearest; /* the best so far; NULL: nothing is near enough */
    size_t distance;     /* of `nearest` */
};

void suggest_init(struct suggest *suggest, const char *word);

/* Offers a name; it is kept when it is nearer than those before, and near enough to be meant: at
 * most a third of its letters (but one in short names) were missed, added, changed or swapped with
 * the next. `name` must live as long as `suggest`. */
void suggest_offer(struct suggest *suggest, const char *name);

#endif
