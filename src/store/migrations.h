// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_MIGRATIONS_H
#define TASKHOLD_STORE_MIGRATIONS_H

#include <stddef.h>

/* The schema of each engine: numbered scripts, from the files in migrations/, of which script `i`
 * leads to schema `i` + 1. From the first release on scripts are only added. */
struct migration {
    const unsigned char *script;
    const size_t *len;
};

extern const struct migration sqlite_migrations[];
extern const size_t sqlite_migration_count;
extern const struct migration postgres_migrations[];
extern const size_t postgres_migration_count;

#endif
