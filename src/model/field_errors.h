// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_FIELD_ERRORS_H
#define TASKHOLD_MODEL_FIELD_ERRORS_H

#include "model/field.h"

/* Notes that the member of that name, or `reading->part` of it, is wrong. Returns false when memory
 * ran out. */
bool field_complain(struct field_reading *reading, struct slice name, const char *code,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5), warn_unused_result));

#endif
