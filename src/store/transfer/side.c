// SPDX-License-Identifier: MIT
#include "store/transfer/side.h"

#include <stdio.h>

#include "store/postgres/side.h"
#include "store/sqlite/side.h"

static const struct {
    const char *scheme;
    const struct side_engine *engine;
} engines[] = {
    {"sqlite:", &sqlite_side},
    {"postgres://", &postgres_side},
    {"postgresql://", &postgres_side},
};

struct side *side_open(const char *url, enum side_use use, char *why, size_t why_size)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strncmp(url, engines[i].scheme, strlen(engines[i].scheme)) == 0)
            return engines[i].engine->open(url, use, why, why_size);
    }
    (void)snprintf(why, why_size, "a database is sqlite:PATH, postgres://... or postgresql://...");
    return NULL;
}

void side_close(struct side **side)
{
    if (*side)
        (*side)->engine->close(*side);
    *side = NULL;
}

bool side_fail(struct side *side, const char *what, const char *detail)
{
    (void)snprintf(side->why, side->why_size, "%s: %s", what, detail);
    return false;
}
