// SPDX-License-Identifier: MIT
#include "store/migrations.h"

/* Made from the files when the program is built. */
extern const unsigned char embed_sqlite_0001_init_sql[];
extern const size_t embed_sqlite_0001_init_sql_len;
extern const unsigned char embed_sqlite_0002_task_model_sql[];
extern const size_t embed_sqlite_0002_task_model_sql_len;
extern const unsigned char embed_postgres_0001_init_sql[];
extern const size_t embed_postgres_0001_init_sql_len;
extern const unsigned char embed_postgres_0002_task_model_sql[];
extern const size_t embed_postgres_0002_task_model_sql_len;

const struct migration sqlite_migrations[] = {
    {embed_sqlite_0001_init_sql, &embed_sqlite_0001_init_sql_len},
    {embed_sqlite_0002_task_model_sql, &embed_sqlite_0002_task_model_sql_len},
};

const size_t sqlite_migration_count = sizeof sqlite_migrations / sizeof sqlite_migrations[0];

const struct migration postgres_migrations[] = {
    {embed_postgres_0001_init_sql, &embed_postgres_0001_init_sql_len},
    {embed_postgres_0002_task_model_sql, &embed_postgres_0002_task_model_sql_len},
};

const size_t postgres_migration_count = sizeof postgres_migrations / sizeof postgres_migrations[0];
