// SPDX-License-Identifier: MIT
/*
 * A bare writer: the limit that one client who waits for each write has on this disk.
 *
 * Use: insert DATABASE SECONDS
 *
 * DATABASE is one of Taskhold that no server has open, with at least one task. The program copies
 * that task again and again, each time with the next id and the next time, as BEGIN, INSERT, COMMIT
 * and nothing else. It opens the file by Taskhold's own code, so with the same settings, and moves
 * the WAL at the same size.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/functions.h"
#include "store/sqlite/wal_buffer.h"

enum { COLUMNS_MOST = 100, STEP_PAGES = 8000, ID_BYTES = 16 };

struct column {
    sqlite3_value *value;
    bool is_id;   /* the next one for each row */
    bool is_time; /* likewise */
};

static struct column columns[COLUMNS_MOST];
static int column_count;

/* What lists are read with; nothing is read here. */
int functions_register(sqlite3 *db)
{
    (void)db;
    return SQLITE_OK;
}

/* What database.c tells the log. */
void log_message(enum log_level level, const char *event, const char *format, ...)
{
    va_list arguments;
    (void)level;
    fprintf(stderr, "%s: ", event);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* SQLite writes as it does by itself. */
const char *wal_buffer_vfs(void)
{
    return NULL;
}

/* No flush of this file ever failed: it has just been made. */
bool file_is_doubtful(const char *path)
{
    (void)path;
    return false;
}

void file_doubt(const char *path, bool doubt)
{
    (void)path;
    (void)doubt;
}

static void die(const char *what)
{
    fprintf(stderr, "insert: %s\n", what);
    exit(1);
}

static void check(sqlite3 *db, int rc)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
        die(sqlite3_errmsg(db));
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    check(db, sqlite3_prepare_v2(db, text, -1, &statement, NULL));
    return statement;
}

static void run(sqlite3 *db, sqlite3_stmt *statement)
{
    check(db, sqlite3_step(statement));
    check(db, sqlite3_reset(statement));
}

/* The newest task; gives the statement that inserts another one. */
static sqlite3_stmt *read_model(sqlite3 *db)
{
    char text[4 * COLUMNS_MOST] = "INSERT INTO tasks VALUES (?";
    sqlite3_stmt *model = prepare(db, "SELECT * FROM tasks ORDER BY created_at DESC LIMIT 1");
    if (sqlite3_step(model) != SQLITE_ROW)
        die("the database has no task");
    column_count = sqlite3_column_count(model);
    if (column_count > COLUMNS_MOST)
        die("too many columns");
    for (int i = 0; i < column_count; i++) {
        const char *name = sqlite3_column_name(model, i);
        columns[i] = (struct column){
            .value = sqlite3_value_dup(sqlite3_column_value(model, i)),
            .is_id = strcmp(name, "id") == 0,
            .is_time = strcmp(name, "created_at") == 0,
        };
        if (i > 0)
            strcat(text, ", ?");
    }
    strcat(text, ")");
    sqlite3_finalize(model);
    return prepare(db, text);
}

/* As an id of version 7 that was made `number` milliseconds later: the first six bytes are the
 * time. */
static void make_id(const struct column *column, int64_t number, unsigned char *id)
{
    if (sqlite3_value_bytes(column->value) != ID_BYTES)
        die("an id that is not of 16 bytes");
    memcpy(id, sqlite3_value_blob(column->value), ID_BYTES);
    for (int i = 5; i >= 0; i--) {
        number += id[i];
        id[i] = (unsigned char)(number & 0xff);
        number >>= 8;
    }
}

static void bind(sqlite3 *db, sqlite3_stmt *insert, int64_t number)
{
    unsigned char id[ID_BYTES];
    for (int i = 0; i < column_count; i++) {
        const struct column *column = &columns[i];
        int rc = SQLITE_OK;
        if (column->is_id) {
            make_id(column, number, id);
            rc = sqlite3_bind_blob(insert, i + 1, id, ID_BYTES, SQLITE_TRANSIENT);
        } else if (column->is_time) {
            rc = sqlite3_bind_int64(insert, i + 1, sqlite3_value_int64(column->value) + number);
        } else {
            rc = sqlite3_bind_value(insert, i + 1, column->value);
        }
        check(db, rc);
    }
}

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    static int tried;
    (void)context;
    if (pages < tried)
        tried = 0; /* the WAL was begun anew */
    if (pages - tried < STEP_PAGES)
        return SQLITE_OK;
    tried = pages;
    return sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

int main(int argc, char **argv)
{
    char why[512];
    if (argc != 3)
        die("use: insert DATABASE SECONDS");
    database_setup();
    sqlite3 *db = database_open_writer(argv[1], why, sizeof why);
    if (!db)
        die(why);
    sqlite3_wal_hook(db, on_commit, NULL);
    sqlite3_stmt *insert = read_model(db);
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepare(db, "COMMIT");
    const int64_t from = now_us();
    const int64_t until = from + strtol(argv[2], NULL, 10) * 1000000;
    int64_t number = 0;
    for (; now_us() < until; number++) {
        bind(db, insert, number + 1);
        run(db, begin);
        run(db, insert);
        run(db, commit);
    }
    printf("RESULT requests=%lld duration=%lld\n", (long long)number, (long long)(now_us() - from));
    return 0;
}
