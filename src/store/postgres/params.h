// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_PARAMS_H
#define TASKHOLD_STORE_POSTGRES_PARAMS_H

#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

/* The parameters of one run of a statement, in PostgreSQL's binary form, bound from left to right.
 * Bytes are not copied: what was bound, and the struct itself, stay where they are until the
 * statement was sent. */
#define PARAMS_MOST 13

struct params {
    int count;
    const char *values[PARAMS_MOST]; /* NULL: NULL */
    int lengths[PARAMS_MOST];
    int64_t numbers[PARAMS_MOST]; /* big-endian; what `values` points to for numbers */
};

/* All of them binary, for libpq's paramFormats. */
extern const int params_formats[PARAMS_MOST];

void params_i64(struct params *p, int64_t value);
void params_time(struct params *p, int64_t ms); /* 0: NULL */
void params_uuid(struct params *p, const struct uuid *id);
void params_text(struct params *p, struct slice text); /* ptr NULL: NULL */
void params_blob(struct params *p, const void *bytes, size_t size);

#endif
