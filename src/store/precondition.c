// SPDX-License-Identifier: MIT
#include "store/precondition.h"

static bool names(const struct store_versions *versions, int64_t version)
{
    for (unsigned i = 0; i < versions->count; i++) {
        if (versions->list[i] == version)
            return true;
    }
    return versions->any;
}

enum store_verdict store_precondition_judge(const struct store_precondition *precondition,
                                            bool exists, int64_t version)
{
    if (precondition->match.present && !(exists && names(&precondition->match, version)))
        return STORE_MATCH_FAILED;
    if (precondition->none_match.present && exists && names(&precondition->none_match, version))
        return STORE_NONE_MATCH_FAILED;
    return STORE_HOLDS;
}
