// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_TAG_H
#define TASKHOLD_API_TAG_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/uuid.h"

/* Entity tags (RFC 9110 section 8.8.3) of what a space holds: `"SPACE-VERSION"`, where SPACE is 6
 * characters that hang on the space (the user's id, today) and on the database's epoch. So no two
 * accounts, and no account before and after a restore, ever give out the same tag for two versions,
 * whatever ids a client makes and however often revisions are counted anew. Pure functions. */

enum tag_kind {
    TAG_TASK, /* "aB3xY9-42": 42 is the task's revision */
    TAG_LIST, /* "aB3xY9-l42": the user's revision */
    TAG_USER, /* "aB3xY9-u42": user_version() */
};

#define TAG_SPACE_LEN 6
#define TAG_MOST      32 /* bytes; quotes included, no NUL */

/* To be raised when an answer shows another form of the same version: what clients and caches hold
 * is then read anew. */
#define TAG_FORM 1

struct tag_space {
    char text[TAG_SPACE_LEN];
};

struct tag_space tag_space_of(struct uuid epoch, struct uuid user);

/* Writes the tag of `version`, which is not negative, with its quotes. */
struct slice tag_make(struct tag_space space, enum tag_kind kind, int64_t version,
                      char tag[static TAG_MOST]);

/* The version that `opaque` (without quotes) names. Returns false for whatever is not exactly a tag
 * of that kind and space. */
bool tag_read(struct tag_space space, enum tag_kind kind, struct slice opaque, int64_t *version);

#endif
