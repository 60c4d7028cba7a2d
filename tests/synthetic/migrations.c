// SPDX-License-Identifier: MIT
#include "store/migrations.h"

/* The product's scripts of each engine, and one more. */
#define COUNT(list) (sizeof(list) / sizeof *(list))

#define SYNTHETIC(engine, each) MIGRATIONS(engine, each) each(engine, samples)

SYNTHETIC(sqlite, MIGRATION_EMBEDDED)
SYNTHETIC(postgres, MIGRATION_EMBEDDED)

const struct migration sqlite_migrations[] = {SYNTHETIC(sqlite, MIGRATION_ROW)};
const size_t sqlite_migration_count = COUNT(sqlite_migrations);

const struct migration postgres_migrations[] = {SYNTHETIC(postgres, MIGRATION_ROW)};
const size_t postgres_migration_count = COUNT(postgres_migrations);
