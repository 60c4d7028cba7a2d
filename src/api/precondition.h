// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_PRECONDITION_H
#define TASKHOLD_API_PRECONDITION_H

#include "api/respond.h"
#include "http/fields.h"
#include "store/store.h"

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

/* Judges a read of what has `tag`. Sends the 304 or 412 that the conditions ask for and returns
 * false. `cache`: the Cache-Control that the resource has. */
bool precondition_holds(struct http_exchange *x, const struct http_conditions *conditions,
                        struct slice tag, struct slice cache) __attribute__((warn_unused_result));

/* Reads a text that is what If-Match has, of a write of `space`. Answers what is wrong; NULL:
 * nothing. */
const char *precondition_read_match(struct slice text, struct tag_space space, enum tag_kind kind,
                                    struct store_versions *versions);

/* What the 412 of a write says; NULL: what it says as a rule. */
const char *precondition_detail(const struct http_exchange *x, enum store_verdict verdict,
                                enum tag_kind kind, int64_t version);

/* Sends the 412 of a write. `version`: of what is there, for its ETag; 0: there is nothing. */
void precondition_refuse(struct http_exchange *x, enum store_verdict verdict, enum tag_kind kind,
                         int64_t version);

#endif
