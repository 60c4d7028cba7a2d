// SPDX-License-Identifier: MIT
#include "store/migrations.h"

/* The product's scripts of each engine, and one more. */
extern const unsigned char embed_sqlite_0001_init_sql[];
extern const size_t embed_sqlite_0001_init_sql_len;
extern const unsigned char embed_sqlite_0002_task_model_sql[];
extern const size_t embed_sqlite_0002_task_model_sql_len;
extern const unsigned char embed_sqlite_0003_samples_sql[];
extern const size_t embed_sqlite_0003_samples_sql_len;
extern const unsigned char embed_postgres_0001_init_sql[];
extern const size_t embed_postgres_0001_init_sql_len;
extern const unsigned char embed_postgres_0002_task_model_sql[];
extern const size_t embed_postgres_0002_task_model_sql_len;
extern const unsigned char embed_postgres_0003_samples_sql[];
extern const size_t embed_postgres_0003_samples_sql_len;

const struct migration sqlite_migrations[] = {
    {embed_sqlite_0001_init_sql, &embed_sqlite_0001_init_sql_len},
    {embed_sqlite_0002_task_model_sql, &embed_sqlite_0002_task_model_sql_len},
    {embed_sqlite_0003_samples_sql, &embed_sqlite_0003_samples_sql_len},
};
const size_t sqlite_migration_count = 3;

const struct migration postgres_migrations[] = {
    {embed_postgres_0001_init_sql, &embed_postgres_0001_init_sql_len},
    {embed_postgres_0002_task_model_sql, &embed_postgres_0002_task_model_sql_len},
    {embed_postgres_0003_samples_sql, &embed_postgres_0003_samples_sql_len},
};
const size_t postgres_migration_count = 3;
