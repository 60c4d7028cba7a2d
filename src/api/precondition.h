#ifndef TASKHOLD_API_PRECONDITION_H
#define TASKHOLD_API_PRECONDITION_H

#include "http/conditional.h"
#include "store/store.h"

/* From If-Match and If-None-Match (RFC 9110 section 13.1) to the revisions that a write is tested
 * against. */

/* Adds the revisions that a checked list of entity tags names. A tag that is weak, or that no task
 * can have, matches nothing and is left out. Returns false when there are more than
 * STORE_REVISIONS_MOST. */
bool precondition_add_list(struct slice list, struct store_precondition *precondition);

/* Reads both fields. `may_create`: If-None-Match may be `*`; any other use of it on a write is
 * refused. Sends 400 invalid_header and returns false. */
bool precondition_read(struct http_exchange *x, bool may_create,
                       struct store_precondition *precondition) __attribute__((warn_unused_result));

#endif
