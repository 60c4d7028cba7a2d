// SPDX-License-Identifier: MIT
#include "store/postgres/transfer_db.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/owner.h"
#include "store/postgres/connect.h"
#include "store/postgres/migrate.h"

#define SQL_MOST 16384

/* Bytes of rows of one table that are sent at once, in a COPY of their own: at its end the server
 * looks for the account of each, and remembers them all until then. */
#define SEND_BYTES (256 * 1024)
#define SEND_MOST  (4 * 1024 * 1024) /* with the longest row */

#define TIMEOUT_MS 10000
#define SERVERS_MS 1000 /* how long it asks again while servers have LOCK_SERVE */

#define POSTGRES_TRANSFER_MAGIC 0x8e21b6f5u

struct postgres_transfer {
    unsigned magic;
    struct transfer_db base;
    PGconn *connection;
    const struct table *table;      /* that is read; NULL: none */
    PGresult *row;                  /* that was read last */
    struct buffer out[TABLES_MOST]; /* rows that are not sent yet */
};

static struct postgres_transfer *transfer_of(struct transfer_db *db)
{
    return OWNER_OF(db, struct postgres_transfer, base, POSTGRES_TRANSFER_MAGIC);
}

static bool fail(struct postgres_transfer *s, const char *what)
{
    char reason[512];
    connect_reason(s->connection, reason, sizeof reason);
    return transfer_db_fail(&s->base, what, reason);
}

/* A statement with the names of all tables in it. */
static bool run_with_tables(struct postgres_transfer *s, const char *before, const char *after)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, before);
    for (const struct table *table = NULL; (table = table_next(table));)
        buffer_add_format(&sql, "%s%s", table > tables ? ", " : "", table->name);
    buffer_add_text(&sql, after);
    const bool done = connect_run(s->connection, transfer_db_text(&sql));
    buffer_finish(&sql);
    return done;
}

/* ---- open and close ---- */

bool postgres_transfer_unfinished(PGconn *connection)
{
    int64_t there = 0;
    assert(connection);
    return connect_number(connection,
                          "SELECT (to_regclass('" TABLE_UNFINISHED "') IS NOT NULL)::int",
                          &there) &&
           there != 0;
}

static void close_db(struct transfer_db *db)
{
    struct postgres_transfer *s = transfer_of(db);
    PQclear(s->row);
    PQfinish(s->connection); /* rolls back */
    for (size_t i = 0; i < TABLES_MOST; i++)
        buffer_finish(&s->out[i]);
    OWNER_END(s);
    free(s);
}

/* Takes LOCK_SERVE alone and keeps it until the end: who serves holds it too. Behind a pooler a
 * server is known by the name that it gives its connections. A process that was killed is still
 * seen for a moment: a server until its idle connections are noticed, a transfer until the
 * statement ends that the database runs for it. */
static bool is_alone(struct postgres_transfer *s)
{
    static const char take[] = "SELECT pg_try_advisory_lock(" LOCK_SERVE ")::int";
    static const char count_others[] =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'taskhold' AND pid <> pg_backend_pid()";
    static const char count_holders[] =
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND (classid::bigint << 32 | objid::bigint) = " LOCK_SERVE
        " AND granted AND mode = 'ShareLock'";
    const int64_t begun_ms = clock_mono_ms();
    int64_t taken = 0;
    int64_t servers = 0; /* their connections; taken by others and none: another transfer has it */
    for (;;) {
        if (!connect_number(s->connection, take, &taken) ||
            !connect_number(s->connection, taken ? count_others : count_holders, &servers))
            return fail(s, "cannot read the database");
        if (taken && servers == 0)
            return true;
        if (clock_mono_ms() > begun_ms + (servers > 0 ? SERVERS_MS : LOCK_SERVE_MS))
            break;
        if (!connect_run(s->connection, "SELECT pg_sleep(" LOCK_SERVE_STEP ")"))
            return fail(s, "cannot read the database");
    }
    if (servers > 0)
        (void)snprintf(s->base.why, s->base.why_size,
                       "a server uses the database (%lld connections): stop every taskhold on it",
                       (long long)servers);
    else
        (void)snprintf(s->base.why, s->base.why_size, "%s", LOCK_SERVE_WHY);
    return false;
}

static bool read_epoch(struct postgres_transfer *s)
{
    PGresult *result = PQexec(s->connection, "SELECT epoch FROM meta");
    const bool read =
        PQntuples(result) == 1 && uuid_parse(slice_of(PQgetvalue(result, 0, 0)), &s->base.epoch);
    PQclear(result);
    return read;
}

static bool begin_read(struct postgres_transfer *s)
{
    static const char begin[] =
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;";
    char reason[512];
    if (!migrate_postgres_judge(s->connection, migrate_postgres_version(s->connection), reason,
                                sizeof reason))
        return transfer_db_fail(&s->base, "cannot read the database", reason);
    if (s->base.use == TRANSFER_READ_ALONE && !is_alone(s))
        return false;
    if (!connect_run(s->connection, begin) || !read_epoch(s))
        return fail(s, "cannot read the database");
    return !postgres_transfer_unfinished(s->connection) ||
           transfer_db_fail(&s->base, "cannot read the database", TABLE_UNFINISHED_WHY);
}

/* With every table locked: looks that they are empty. */
static bool is_empty(struct postgres_transfer *s)
{
    for (const struct table *table = NULL; (table = table_next(table));) {
        char sql[128];
        int64_t rows = 0;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT 1) row",
                       table->name);
        if (!connect_number(s->connection, sql, &rows))
            return fail(s, "cannot read the database");
        if (rows > 0) {
            (void)snprintf(
                s->base.why, s->base.why_size,
                "the database holds %s already: only an empty or new database is written",
                table->name);
            return false;
        }
    }
    return true;
}

/* Takes every table for itself, until the end; and empties their files of what an interrupted run
 * left there, which is of no use to anyone. */
static bool begin_write(struct postgres_transfer *s)
{
    PGconn *connection = s->connection;
    if (!migrate_postgres(connection, s->base.why, s->base.why_size) || !is_alone(s) ||
        !is_empty(s))
        return false;
    if (s->base.use != TRANSFER_MOVE && postgres_transfer_unfinished(connection))
        return transfer_db_fail(&s->base, "cannot write the database", TABLE_UNFINISHED_WHY);
    if (s->base.use == TRANSFER_MOVE &&
        !connect_run(connection, "CREATE TABLE IF NOT EXISTS " TABLE_UNFINISHED " ()"))
        return fail(s, "cannot write the database");
    if (!connect_run(connection,
                     "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s';"
                     "SET LOCAL idle_in_transaction_session_timeout = 0") ||
        !run_with_tables(s, "LOCK TABLE ", " IN ACCESS EXCLUSIVE MODE"))
        return fail(s, "cannot take the tables, is somebody using them?");
    return is_empty(s) &&
           (run_with_tables(s, "TRUNCATE ", "") || fail(s, "cannot write the database"));
}

static struct transfer_db *open_db(const char *url, enum transfer_use use, char *why,
                                   size_t why_size)
{
    const struct connect_options options = {.url = url, .timeout_ms = TIMEOUT_MS, .prepare = true};
    struct postgres_transfer *s = calloc(1, sizeof *s);
    (void)snprintf(why, why_size, "no memory");
    if (!s)
        return NULL;
    OWNER_SET(s, POSTGRES_TRANSFER_MAGIC);
    s->base = (struct transfer_db){
        .engine = &postgres_transfer, .use = use, .why = why, .why_size = why_size};
    for (size_t i = 0; i < TABLES_MOST; i++)
        buffer_init(&s->out[i], SEND_MOST);
    s->connection = connect_open(&options, why, why_size);
    if (s->connection && !connect_run(s->connection, "SET application_name = 'taskhold transfer'"))
        fail(s, "cannot use the database");
    else if (s->connection && (transfer_db_writes(&s->base) ? begin_write(s) : begin_read(s)))
        return &s->base;
    close_db(&s->base);
    return NULL;
}

/* ---- writing: the binary format of COPY (manual of PostgreSQL, COPY, "Binary Format") ---- */

/* The last bytes of a number, the highest first. */
static void add_word(struct buffer *out, uint64_t value, size_t size)
{
    const uint64_t word = htobe64(value);
    buffer_add(out, (struct slice){(const char *)&word + sizeof word - size, size});
}

/* Sends the rows of a table that wait. */
static bool send_rows(struct postgres_transfer *s, const struct table *table)
{
    struct buffer *out = &s->out[table - tables];
    struct buffer sql;
    if (out->len == 0)
        return true;
    add_word(out, UINT16_MAX, sizeof(uint16_t)); /* no row follows */
    if (out->failed)
        return transfer_db_fail(&s->base, table->name, "a row is too large, or there is no memory");
    buffer_init(&sql, SQL_MOST);
    buffer_add_format(&sql, "COPY %s (", table->name);
    transfer_db_columns(&sql, table);
    buffer_add_text(&sql, ") FROM STDIN (FORMAT binary)");
    PGresult *result = PQexec(s->connection, transfer_db_text(&sql));
    buffer_finish(&sql);
    bool sent = PQresultStatus(result) == PGRES_COPY_IN &&
                PQputCopyData(s->connection, out->data, (int)out->len) == 1 &&
                PQputCopyEnd(s->connection, NULL) == 1;
    buffer_clear(out);
    PQclear(result);
    while (sent && (result = PQgetResult(s->connection)) != NULL) {
        sent = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return sent || fail(s, table->name);
}

/* The same of all tables up to that one, since rows refer to those of earlier tables. NULL: of all.
 */
static bool send_up_to(struct postgres_transfer *s, const struct table *last)
{
    bool good = true;
    for (const struct table *table = NULL; good && (table = table_next(table));) {
        good = send_rows(s, table);
        if (table == last)
            break;
    }
    return good;
}

static bool put_row(struct transfer_db *db, const struct table *table,
                    const struct field_value *values)
{
    static const char head[19] = "PGCOPY\n\377\r\n"; /* a NUL, flags, and the length of more */
    struct postgres_transfer *s = transfer_of(db);
    struct buffer *out = &s->out[table - tables];
    assert(transfer_db_writes(db) && !s->table);
    if (out->len == 0)
        buffer_add(out, (struct slice){head, sizeof head});
    add_word(out, table->column_count, sizeof(uint16_t));
    for (size_t i = 0; i < table->column_count; i++) {
        const enum field_type type = table->columns[i].type;
        const bool small = type == FIELD_CHOICE || type == FIELD_BOOL;
        const size_t size = small ? sizeof(uint16_t) : sizeof(uint64_t);
        if (values[i].null) {
            add_word(out, UINT32_MAX, sizeof(uint32_t));
        } else if (field_is_number(type)) {
            add_word(out, size, sizeof(uint32_t));
            add_word(out, (uint64_t)values[i].number, size);
        } else {
            add_word(out, values[i].bytes.len, sizeof(uint32_t));
            buffer_add(out, values[i].bytes);
        }
    }
    return (out->len < SEND_BYTES && !out->failed) || send_up_to(s, table);
}

/* ---- reading ---- */

static bool find_user(struct transfer_db *db, struct slice email, struct uuid *user)
{
    struct postgres_transfer *s = transfer_of(db);
    const struct sql_value address = SQL_TEXT(email);
    PGresult *result = connect_ask(
        s->connection, "SELECT user_id FROM emails WHERE email = lower($1 COLLATE \"C\")", &address,
        1, TIMEOUT_MS, -1);
    const bool asked = PQresultStatus(result) == PGRES_TUPLES_OK;
    const bool found =
        asked && PQntuples(result) == 1 && uuid_parse(slice_of(PQgetvalue(result, 0, 0)), user);
    PQclear(result);
    return found || (asked ? transfer_db_nobody(db) : fail(s, "cannot read the database"));
}

static bool count_rows(struct transfer_db *db, const struct table *table, const struct uuid *user,
                       int64_t *rows)
{
    struct postgres_transfer *s = transfer_of(db);
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    transfer_db_select(&sql, db, table, user, true);
    const bool counted = connect_number(s->connection, transfer_db_text(&sql), rows);
    buffer_finish(&sql);
    return counted || fail(s, "cannot read the database");
}

/* Row by row: not all of the table is in memory at any time. */
static bool read_table(struct transfer_db *db, const struct table *table, const struct uuid *user)
{
    struct postgres_transfer *s = transfer_of(db);
    struct buffer sql;
    assert(!s->table);
    if (!send_up_to(s, NULL))
        return false;
    buffer_init(&sql, SQL_MOST);
    transfer_db_select(&sql, db, table, user, false);
    const bool begun = PQsendQueryParams(s->connection, transfer_db_text(&sql), 0, NULL, NULL, NULL,
                                         NULL, 1) == 1 &&
                       PQsetSingleRowMode(s->connection) == 1;
    buffer_finish(&sql);
    s->table = table;
    return begun || fail(s, "cannot read the database");
}

static bool take_row(const struct table *table, PGresult *result, struct field_value *values)
{
    struct row row = row_of(result, 0, NULL);
    bool good = PQnfields(result) == (int)table->column_count;
    for (size_t i = 0; i < table->column_count && good; i++) {
        const struct field *column = &table->columns[i];
        values[i] = (struct field_value){.null = PQgetisnull(result, 0, (int)i) == 1};
        row.column = (int)i;
        if (values[i].null) /* as what is empty of a set or a map is too */
            good = (column->flags & FIELD_NULLABLE) != 0 || field_is_json(column->type);
        else if (field_is_number(column->type))
            values[i].number = row_i64(&row);
        else
            values[i].bytes = row_blob(&row);
        if (column->type == FIELD_UUID && !values[i].null)
            good = values[i].bytes.len == sizeof(struct uuid);
    }
    return good && row.error == ERROR_NONE;
}

static enum transfer_next next_row(struct transfer_db *db, struct field_value *values)
{
    struct postgres_transfer *s = transfer_of(db);
    assert(s->table);
    PQclear(s->row);
    s->row = PQgetResult(s->connection);
    switch (PQresultStatus(s->row)) {
    case PGRES_SINGLE_TUPLE:
        if (take_row(s->table, s->row, values))
            return TRANSFER_ROW;
        transfer_db_fail(db, s->table->name, "a row is not as the schema says");
        return TRANSFER_FAILED;
    case PGRES_TUPLES_OK:
        PQclear(PQgetResult(s->connection)); /* NULL */
        s->table = NULL;
        return TRANSFER_END;
    default: fail(s, "cannot read the database"); return TRANSFER_FAILED;
    }
}

/* ---- the end ---- */

static bool commit(struct transfer_db *db)
{
    struct postgres_transfer *s = transfer_of(db);
    struct buffer sql;
    assert(transfer_db_writes(db) && !s->table);
    if (!send_up_to(s, NULL))
        return false;
    buffer_init(&sql, SQL_MOST);
    if (db->use == TRANSFER_IMPORT) {
        sql_chain(&sql);
        buffer_add_text(&sql, "; ");
    }
    sql_recount(&sql, SQL_POSTGRES);
    if (db->use == TRANSFER_MOVE) {
        char epoch[UUID_TEXT_LEN];
        uuid_format(db->epoch, epoch);
        buffer_add_format(&sql, "; DROP TABLE " TABLE_UNFINISHED "; UPDATE meta SET epoch = '%.*s'",
                          (int)sizeof epoch, epoch);
    } else {
        buffer_add_text(&sql, "; UPDATE meta SET epoch = gen_random_uuid()");
    }
    const bool ended = connect_run(s->connection, transfer_db_text(&sql)) && !sql.failed;
    buffer_finish(&sql);
    if (!ended)
        return fail(s, "cannot write the database");
    const bool done = connect_commit(s->connection);
    if (!done && PQstatus(s->connection) != CONNECTION_OK)
        return transfer_db_fail(db, "the database was lost at the commit",
                                "all of it was written or nothing; run this again to see which");
    if (!done)
        return fail(s, "cannot write the database");
    /* Or autovacuum does, in a while. */
    (void)(connect_run(s->connection, "SET statement_timeout = 0") &&
           run_with_tables(s, "ANALYZE ", ""));
    return true;
}

const struct transfer_engine postgres_transfer = {
    .scheme = "postgres:",
    .dialect = SQL_POSTGRES,
    .open = open_db,
    .close = close_db,
    .find_user = find_user,
    .count = count_rows,
    .read = read_table,
    .next = next_row,
    .put = put_row,
    .finish = commit,
};
