// SPDX-License-Identifier: MIT
#include "store/migrations.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

MIGRATIONS(sqlite, MIGRATION_EMBEDDED)
MIGRATIONS(postgres, MIGRATION_EMBEDDED)

const struct migration sqlite_migrations[] = {MIGRATIONS(sqlite, MIGRATION_ROW)};
const size_t sqlite_migration_count = COUNT(sqlite_migrations);

const struct migration postgres_migrations[] = {MIGRATIONS(postgres, MIGRATION_ROW)};
const size_t postgres_migration_count = COUNT(postgres_migrations);
