// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_FUZZ_ERRORS_H
#define TASKHOLD_TESTS_FUZZ_ERRORS_H

#include <assert.h>

#include "model/field.h"

/* Whatever was wrong with a body, what is said of it is whole. */
static inline void check_errors(const struct field_errors *errors)
{
    assert(errors->count <= FIELD_ERRORS);
    for (unsigned i = 0; i < errors->count; i++) {
        assert(errors->list[i].pointer.len > 0 && errors->list[i].pointer.ptr[0] == '/');
        assert(utf8_valid(errors->list[i].pointer));
        assert(errors->list[i].code && errors->list[i].detail);
    }
}

#endif
