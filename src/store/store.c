// SPDX-License-Identifier: MIT
#include "store/store.h"

#include <assert.h>
#include <stdio.h>

#include "store/postgres/engine.h"
#include "store/sqlite/engine.h"

static const struct {
    const char *scheme;
    const struct store_engine *engine;
} engines[] = {
    {"sqlite:", &sqlite_engine},
    {"postgres://", &postgres_engine},
    {"postgresql://", &postgres_engine},
};

const struct store_engine *store_engine_for(const char *url)
{
    assert(url);
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strncmp(url, engines[i].scheme, strlen(engines[i].scheme)) == 0)
            return engines[i].engine;
    }
    return NULL;
}

bool store_url_judge(const char *url, char *why, size_t why_size)
{
    const struct store_engine *engine = store_engine_for(url);
    if (!engine)
        (void)snprintf(why, why_size, "DATABASE_URL names no engine that is built in");
    return engine && engine->url_judge(url, why, why_size);
}
