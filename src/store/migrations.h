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

/* Every script, in order: its file in migrations/ of each engine, without `.sql`. */
#define MIGRATIONS(engine, each)                                                                   \
    each(engine, 0001_init) each(engine, 0002_task_model) each(engine, 0003_script_tokens)         \
        each(engine, 0004_trash) each(engine, 0005_history)

/* Made from the files when the program is built. */
#define MIGRATION_EMBEDDED(engine, name)                                                           \
    extern const unsigned char embed_##engine##_##name##_sql[];                                    \
    extern const size_t embed_##engine##_##name##_sql_len;
#define MIGRATION_ROW(engine, name)                                                                \
    {embed_##engine##_##name##_sql, &embed_##engine##_##name##_sql_len},

extern const struct migration sqlite_migrations[];
extern const size_t sqlite_migration_count;
extern const struct migration postgres_migrations[];
extern const size_t postgres_migration_count;

#endif
