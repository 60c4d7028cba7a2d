// SPDX-License-Identifier: MIT
#include "store/postgres/params.h"

#include <assert.h>
#include <endian.h>

const int params_formats[PARAMS_MOST] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void bind(struct params *p, const void *bytes, size_t size)
{
    assert(p->count < PARAMS_MOST);
    p->values[p->count] = bytes;
    p->lengths[p->count] = (int)size;
    p->count++;
}

void params_i64(struct params *p, int64_t value)
{
    int64_t *number = &p->numbers[p->count];
    *number = (int64_t)htobe64((uint64_t)value);
    bind(p, number, sizeof *number);
}

void params_time(struct params *p, int64_t ms)
{
    if (ms != 0)
        params_i64(p, ms);
    else
        bind(p, NULL, 0);
}

void params_uuid(struct params *p, const struct uuid *id)
{
    bind(p, id->bytes, sizeof id->bytes);
}

void params_text(struct params *p, struct slice text)
{
    bind(p, text.ptr, text.len);
}

void params_blob(struct params *p, const void *bytes, size_t size)
{
    bind(p, bytes, size);
}
