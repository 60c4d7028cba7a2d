// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_PRECONDITION_H
#define TASKHOLD_API_PRECONDITION_H

#include "http/fields.h"
#include "store/store.h"

/* Entity tags (RFC 9110 section 8.8.3) of what a space holds: `"SPACE-VERSION"`, where SPACE is 6
 * characters that hang on the space (the user's id, today) and on the database's epoch. So no two
 * accounts, and no account before and after a restore, ever give out the same tag for two versions,
 * whatever ids a client makes and however often revisions are counted anew. Pure functions. */

enum tag_kind {
    TAG_ITEM, /* "aB3xY9-42": 42 is the item's revision */
    TAG_LIST, /* "aB3xY9-l42": the space's revision */
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

/* If-Match and If-None-Match (RFC 9110 sections 13.1 and 13.2) of calls whose resource has an
 * entity tag: reads are judged here, writes inside the store. */

/* Adds the versions that a checked list of entity tags names. A tag that nothing of `space` and
 * `kind` can have matches nothing and is left out. Returns false when there are more than
 * STORE_VERSIONS_MOST. */
bool precondition_add_list(struct slice list, struct tag_space space, enum tag_kind kind,
                           struct store_versions *versions);

/* Reads both fields for a read. Sends 400 invalid_header and returns false. */
bool precondition_parse(struct http_exchange *x, struct http_conditions *conditions)
    __attribute__((warn_unused_result));

/* Reads both fields for a write of what the caller's space holds. Sends 400 invalid_header and
 * returns false. */
bool precondition_read(struct http_exchange *x, enum tag_kind kind,
                       struct store_precondition *precondition) __attribute__((warn_unused_result));

/* Sends the 304 or 412 that the verdict, which is not GO, asks for. `cache`: the Cache-Control that
 * the resource has. */
void precondition_answer(struct http_exchange *x, enum http_conditions_verdict verdict,
                         struct slice tag, struct slice cache);

/* Sends the 412 of a write. `version`: of what is there, for its ETag; 0: there is nothing. */
void precondition_refuse(struct http_exchange *x, enum store_verdict verdict, enum tag_kind kind,
                         int64_t version);

#endif
