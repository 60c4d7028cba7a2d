// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_PRECONDITION_H
#define TASKHOLD_STORE_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

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
