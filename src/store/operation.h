// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_OPERATION_H
#define TASKHOLD_STORE_OPERATION_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/thread.h"

/* What every call of the store has: the calls themselves are in account_operations.h,
 * item_operations.h and change_operations.h, the vtable that an engine fills in store.h.
 *
 * A call takes an operation that the caller allocates (in the request's arena) and fills in; the
 * engine answers by calling `op.done` exactly once, on the loop that the store_session belongs to:
 * before the call returns or later, the caller cannot tell. Until then the operation and its arena
 * belong to the engine. What an answer points to lives in the operation's arena, or in what the
 * caller gave, unless said otherwise. `done` may make further calls; `each` and `begin` may not.
 *
 * `result` is ERROR_NONE for success, or a row of the one list of errors: what the call documents,
 * or one of UNAVAILABLE, OVERLOADED, STORAGE_FULL, INTERNAL_ERROR: nothing was changed. A write
 * that is answered with ERROR_NONE, or with an error that the write itself decided, is on stable
 * storage. ERROR_OUTCOME_UNKNOWN: the database was lost while the write was being committed; it was
 * made entirely or not at all. */

struct store;         /* one open database */
struct store_session; /* what one event loop holds of it: read connection(s), prepared statements */

struct store_op {
    struct store_session *session;
    struct arena *arena;
    void (*done)(struct store_op *op);
    void *caller; /* not touched by the engine */
    enum error result;

    /* The engine's own: */
    struct inbox_message message;
    struct store_op *next;
    const void *work;
    int64_t queued_us;
    bool large; /* it may take as long as a hundred others */
};

/* ---- preconditions ---- */

#define STORE_VERSIONS_MOST 16

/* The versions that If-Match or If-None-Match names: revisions of a task or of the list, or
 * user_version(). */
struct store_versions {
    bool present;
    bool any; /* `*`: every version there can be */
    unsigned count;
    int64_t list[STORE_VERSIONS_MOST];
};

/* Tested inside the write (RFC 9110 section 13.2.2). */
struct store_precondition {
    struct store_versions match;
    struct store_versions none_match;
};

enum store_verdict { STORE_HOLDS, STORE_MATCH_FAILED, STORE_NONE_MATCH_FAILED };

/* `exists`: there is something, whose version is `version`. */
enum store_verdict store_precondition_judge(const struct store_precondition *precondition,
                                            bool exists, int64_t version);

#endif
