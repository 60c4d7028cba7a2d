// SPDX-License-Identifier: MIT
#include "store/postgres/side.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/postgres/connect.h"
#include "store/postgres/copy.h"
#include "store/postgres/locks.h"
#include "store/postgres/migrate.h"
#include "store/postgres/sql.h"

#define SQL_MOST 4096

/* Bytes that are sent at once, above what one row takes. */
#define SEND_BYTES (64 * 1024)
#define SEND_MOST  (4 * 1024 * 1024)

/* Rows of one COPY. At its end the server looks for the account of each, and remembers them all
 * until then. */
#define COPY_ROWS 50000

/* Rows that are looked at one by one, and leave together. Their answers must find room between the
 * server and us while we still send. */
#define FLIGHT_ROWS 200

#define TIMEOUT_MS 10000
#define SERVERS_MS 1000 /* how long it asks again while servers have LOCK_SERVE */

struct postgres_side {
    struct side base;
    enum side_use use;
    PGconn *connection;
    const struct table *table; /* that is read or written */
    char *message;             /* of libpq: the row that was read last */
    bool first;
    struct buffer out;
    int rows;                   /* in this COPY */
    int64_t lines[FLIGHT_ROWS]; /* of the rows that have no verdict yet */
    size_t flying;
};

static bool fail(struct postgres_side *s, const char *what)
{
    char reason[512];
    connect_reason(s->connection, reason, sizeof reason);
    return side_fail(&s->base, what, reason);
}

static bool is_good(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool run(struct postgres_side *s, const char *statements)
{
    PGresult *result = PQexec(s->connection, statements);
    const bool good = is_good(result);
    PQclear(result);
    return good;
}

/* One number, which the statement asks for. */
static bool ask(PGconn *connection, const char *sql, int64_t *number)
{
    PGresult *result = PQexec(connection, sql);
    const bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (good)
        *number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return good;
}

/* ---- statements ---- */

static void add_columns(struct buffer *sql, const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_add_format(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name);
}

static void add_from(struct buffer *sql, const struct table *table, const struct uuid *user)
{
    char id[UUID_TEXT_LEN];
    buffer_add_format(sql, " FROM %s", table->name);
    if (!user)
        return;
    uuid_format(*user, id);
    buffer_add_format(sql, " WHERE user_id = '%.*s'", UUID_TEXT_LEN, id);
}

static const char *text_of(struct buffer *sql)
{
    buffer_add_char(sql, '\0');
    return sql->failed ? "" : sql->data;
}

/* A statement with the names of all tables in it. */
static bool run_on_tables(struct postgres_side *s, const char *before, const char *after)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, before);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        buffer_add_format(&sql, "%s%s", i > 0 ? ", " : "", tables[i].name);
    buffer_add_text(&sql, after);
    const bool done = run(s, text_of(&sql));
    buffer_finish(&sql);
    return done;
}

/* ---- writing one row ---- */

static void add_insert(struct buffer *sql, const struct table *table)
{
    const int revision = table_find(table, "revision");
    const int user = table_find(table, "user_id");
    buffer_add_format(sql, "INSERT INTO %s (", table->name);
    add_columns(sql, table);
    buffer_add_text(sql, ") SELECT ");
    for (size_t i = 0; i < table->column_count; i++)
        buffer_add_format(sql, "%s$%zu", i > 0 ? ", " : "", i + 1);
    if (table == &tables[TABLE_USERS] || user < 0)
        return;
    buffer_add_format(sql, " FROM users WHERE users.user_id = $%d", user + 1);
    if (revision >= 0)
        buffer_add_format(sql, " AND users.revision >= $%d", revision + 1);
}

static bool prepare_insert(struct postgres_side *s, const struct table *table)
{
    static const Oid oids[] = {[TABLE_UUID] = 2950,
                               [TABLE_I64] = 20,
                               [TABLE_I16] = 20,
                               [TABLE_TEXT] = 25,
                               [TABLE_BLOB] = 17};
    Oid types[TABLE_COLUMNS_MOST];
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    add_insert(&sql, table);
    for (size_t i = 0; i < table->column_count; i++)
        types[i] = oids[table->columns[i].type];
    PGresult *result =
        PQprepare(s->connection, table->name, text_of(&sql), (int)table->column_count, types);
    const bool prepared = is_good(result);
    PQclear(result);
    buffer_finish(&sql);
    return prepared;
}

static bool begin_inserts(struct postgres_side *s)
{
    bool good = true;
    for (size_t i = 0; i < TABLE_COUNT && good; i++)
        good = prepare_insert(s, &tables[i]);
    good = good && PQenterPipelineMode(s->connection) == 1;
    return good || fail(s, "cannot write the database");
}

static enum side_insert verdict_of(struct postgres_side *s, PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (is_good(result))
        return strcmp(PQcmdTuples(result), "1") == 0 ? SIDE_INSERTED : SIDE_ORPHAN;
    if (state && strncmp(state, "23", 2) == 0)
        return SIDE_DOUBLE;
    fail(s, "cannot write the database");
    return SIDE_NOT_INSERTED;
}

/* The answers of all that were sent, up to the first that is not good. */
static enum side_insert land(struct side *side)
{
    struct postgres_side *s = (struct postgres_side *)side;
    enum side_insert verdict = SIDE_INSERTED;
    const size_t count = s->flying;
    s->flying = 0;
    if (count == 0)
        return SIDE_INSERTED;
    side->line = s->lines[0];
    if (PQpipelineSync(s->connection) != 1) {
        fail(s, "cannot write the database");
        return SIDE_NOT_INSERTED;
    }
    for (size_t i = 0; i < count && verdict == SIDE_INSERTED; i++) {
        PGresult *result = PQgetResult(s->connection);
        side->line = s->lines[i];
        verdict = verdict_of(s, result);
        PQclear(result);
        PQclear(PQgetResult(s->connection)); /* NULL, after each */
    }
    if (verdict == SIDE_INSERTED)
        PQclear(PQgetResult(s->connection)); /* that of the synchronisation */
    return verdict;
}

static enum side_insert insert_row(struct side *side, const struct table *table,
                                   const struct table_value *values, int64_t line)
{
    struct postgres_side *s = (struct postgres_side *)side;
    struct params params = {0};
    for (size_t i = 0; i < table->column_count; i++) {
        if (values[i].null)
            params_text(&params, (struct slice){0});
        else if (table_is_number(&table->columns[i]))
            params_i64(&params, values[i].number);
        else
            params_text(&params, values[i].bytes);
    }
    if (PQsendQueryPrepared(s->connection, table->name, params.count, params.values, params.lengths,
                            params_formats, 1) != 1) {
        side->line = line;
        fail(s, "cannot write the database");
        return SIDE_NOT_INSERTED;
    }
    s->lines[s->flying++] = line;
    return s->flying == FLIGHT_ROWS ? land(side) : SIDE_INSERTED;
}

/* ---- open and close ---- */

bool postgres_side_unfinished(PGconn *connection)
{
    int64_t there = 0;
    return ask(connection, "SELECT (to_regclass('" TABLE_UNFINISHED "') IS NOT NULL)::int",
               &there) &&
           there != 0;
}

static void close_side(struct side *side)
{
    struct postgres_side *s = (struct postgres_side *)side;
    PQfreemem(s->message);
    PQfinish(s->connection); /* rolls back */
    buffer_finish(&s->out);
    free(s);
}

/* Takes LOCK_SERVE alone and keeps it until the end: who serves holds it too. Behind a pooler a
 * server is known by the name that it gives its connections. `*servers`: how many connections of
 * servers there are. Not taken and no servers: another transfer has it. */
static bool take_alone(struct postgres_side *s, bool *taken, int64_t *servers)
{
    int64_t got = 0;
    if (!ask(s->connection, "SELECT pg_try_advisory_lock(" LOCK_SERVE ")::int", &got))
        return false;
    *taken = got != 0;
    return ask(s->connection,
               *taken ? "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                        "AND application_name = 'taskhold' AND pid <> pg_backend_pid()"
                      : "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                        "AND database = (SELECT oid FROM pg_database WHERE datname = "
                        "current_database()) AND (classid::bigint << 32 | objid::bigint) "
                        "= " LOCK_SERVE " AND granted AND mode = 'ShareLock'",
               servers);
}

/* A process that was killed is still seen for a moment: a server until its idle connections are
 * noticed, a transfer until the statement ends that the database runs for it. */
static bool is_alone(struct postgres_side *s)
{
    const int64_t begun_ms = clock_mono_ms();
    int64_t servers = 0;
    for (;;) {
        bool taken = false;
        if (!take_alone(s, &taken, &servers))
            return fail(s, "cannot read the database");
        if (taken && servers == 0)
            return true;
        if (clock_mono_ms() > begun_ms + (servers > 0 ? SERVERS_MS : LOCK_SERVE_MS))
            break;
        if (!run(s, "SELECT pg_sleep(" LOCK_SERVE_STEP ")"))
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

static bool begin_read(struct postgres_side *s)
{
    static const char begin[] =
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;";
    const int version = migrate_postgres_version(s->connection);
    if (version < 0)
        return fail(s, "cannot read the database");
    if (version == 0)
        return side_fail(&s->base, "cannot read the database", "there is none of taskhold in it");
    if (version != migrate_postgres_head())
        return side_fail(&s->base, "cannot read the database",
                         "its schema is of another version: run taskhold migrate of the newest");
    if (s->use == SIDE_READ_ALONE && !is_alone(s))
        return false;
    if (!run(s, begin))
        return fail(s, "cannot read the database");
    return !postgres_side_unfinished(s->connection) ||
           side_fail(&s->base, "cannot read the database", TABLE_UNFINISHED_WHY);
}

/* With every table locked: looks that they are empty. */
static bool is_empty(struct postgres_side *s)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char sql[128];
        int64_t rows = 0;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT 1) row",
                       tables[i].name);
        if (!ask(s->connection, sql, &rows))
            return fail(s, "cannot read the database");
        if (rows > 0) {
            (void)snprintf(
                s->base.why, s->base.why_size,
                "the database holds %s already: only an empty or new database is written",
                tables[i].name);
            return false;
        }
    }
    return true;
}

/* Takes every table for itself, until the end; and empties their files of what an interrupted run
 * left there, which is of no use to anyone. */
static bool take_tables(struct postgres_side *s)
{
    if (!run(s, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s';"
                "SET LOCAL idle_in_transaction_session_timeout = 0") ||
        !run_on_tables(s, "LOCK TABLE ", " IN ACCESS EXCLUSIVE MODE"))
        return fail(s, "cannot take the tables, is somebody using them?");
    if (!is_empty(s))
        return false;
    return run_on_tables(s, "TRUNCATE ", "") || fail(s, "cannot write the database");
}

static bool begin_write(struct postgres_side *s)
{
    if (!migrate_postgres(s->connection, s->base.why, s->base.why_size) || !is_alone(s) ||
        !is_empty(s))
        return false;
    if (s->use != SIDE_MOVE && postgres_side_unfinished(s->connection))
        return side_fail(&s->base, "cannot write the database", TABLE_UNFINISHED_WHY);
    if (s->use == SIDE_MOVE && !run(s, "CREATE TABLE IF NOT EXISTS " TABLE_UNFINISHED " ()"))
        return fail(s, "cannot write the database");
    return take_tables(s) && (s->use == SIDE_MOVE || begin_inserts(s));
}

static struct side *open_side(const char *url, enum side_use use, char *why, size_t why_size)
{
    const struct connect_options options = {.url = url, .timeout_ms = TIMEOUT_MS, .prepare = true};
    struct postgres_side *s = calloc(1, sizeof *s);
    (void)snprintf(why, why_size, "no memory");
    if (!s)
        return NULL;
    s->base = (struct side){&postgres_side, why, why_size, 0};
    s->use = use;
    buffer_init(&s->out, SEND_MOST);
    s->connection = connect_open(&options, why, why_size);
    if (s->connection && !run(s, "SET application_name = 'taskhold transfer'")) {
        fail(s, "cannot use the database");
    } else if (s->connection &&
               (use == SIDE_READ || use == SIDE_READ_ALONE ? begin_read(s) : begin_write(s)))
        return &s->base;
    close_side(&s->base);
    return NULL;
}

/* ---- reading ---- */

static enum side_found find_user(struct side *side, struct slice email, struct uuid *user)
{
    struct postgres_side *s = (struct postgres_side *)side;
    struct params params = {0};
    enum side_found found = SIDE_NOT_ASKED;
    params_text(&params, email);
    PGresult *result = PQexecParams(
        s->connection, "SELECT user_id FROM emails WHERE email = lower($1::text COLLATE \"C\")",
        params.count, NULL, params.values, params.lengths, params_formats, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail(s, "cannot read the database");
    } else if (PQntuples(result) == 0) {
        found = SIDE_NOT_FOUND;
    } else if (PQgetlength(result, 0, 0) == sizeof user->bytes) {
        memcpy(user->bytes, PQgetvalue(result, 0, 0), sizeof user->bytes);
        found = SIDE_FOUND;
    }
    PQclear(result);
    return found;
}

static bool count_rows(struct side *side, const struct table *table, const struct uuid *user,
                       int64_t *rows)
{
    struct postgres_side *s = (struct postgres_side *)side;
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, "SELECT count(*)");
    add_from(&sql, table, user);
    const bool counted = ask(s->connection, text_of(&sql), rows);
    buffer_finish(&sql);
    return counted || fail(s, "cannot read the database");
}

static bool read_table(struct side *side, const struct table *table, const struct uuid *user)
{
    struct postgres_side *s = (struct postgres_side *)side;
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, "COPY (SELECT ");
    add_columns(&sql, table);
    add_from(&sql, table, user);
    buffer_add_format(&sql, " ORDER BY %s) TO STDOUT (FORMAT binary)", table->order);
    PGresult *result = PQexec(s->connection, text_of(&sql));
    const bool begun = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    buffer_finish(&sql);
    s->table = table;
    s->first = true;
    return begun || fail(s, "cannot read the database");
}

/* Whether the last statement ended well. */
static bool end_statement(struct postgres_side *s)
{
    bool good = true;
    PGresult *result = NULL;
    while ((result = PQgetResult(s->connection)) != NULL) {
        good = good && is_good(result);
        PQclear(result);
    }
    return good;
}

static enum side_next next_row(struct side *side, struct table_value values[TABLE_COLUMNS_MOST])
{
    struct postgres_side *s = (struct postgres_side *)side;
    PQfreemem(s->message);
    s->message = NULL;
    const int len = PQgetCopyData(s->connection, &s->message, 0);
    if (len == -1 && end_statement(s))
        return SIDE_END; /* COPY sends nothing after its tail */
    if (len < 0) {
        fail(s, "cannot read the database");
        return SIDE_FAILED;
    }
    enum side_next next =
        copy_read_row((struct slice){s->message, (size_t)len}, s->first, s->table, values);
    s->first = false;
    if (next == SIDE_END)
        return next_row(side, values); /* the tail; now the end of the statement */
    if (next == SIDE_FAILED)
        side_fail(side, s->table->name, "a row is not as the schema says");
    return next;
}

/* ---- writing many rows ---- */

static bool begin_copy(struct postgres_side *s)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_format(&sql, "COPY %s (", s->table->name);
    add_columns(&sql, s->table);
    buffer_add_text(&sql, ") FROM STDIN (FORMAT binary)");
    PGresult *result = PQexec(s->connection, text_of(&sql));
    const bool begun = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    buffer_finish(&sql);
    buffer_clear(&s->out);
    copy_add_head(&s->out);
    s->rows = 0;
    return begun || fail(s, s->table->name);
}

static bool send_out(struct postgres_side *s)
{
    if (s->out.failed)
        return side_fail(&s->base, s->table->name, "a row is too large, or there is no memory");
    const bool sent = PQputCopyData(s->connection, s->out.data, (int)s->out.len) == 1;
    buffer_clear(&s->out);
    return sent || fail(s, s->table->name);
}

static bool end_copy(struct side *side)
{
    struct postgres_side *s = (struct postgres_side *)side;
    copy_add_tail(&s->out);
    if (!send_out(s))
        return false;
    return (PQputCopyEnd(s->connection, NULL) == 1 && end_statement(s)) || fail(s, s->table->name);
}

static bool write_table(struct side *side, const struct table *table)
{
    struct postgres_side *s = (struct postgres_side *)side;
    s->table = table;
    return begin_copy(s);
}

static bool put_row(struct side *side, const struct table_value *values)
{
    struct postgres_side *s = (struct postgres_side *)side;
    if (s->rows == COPY_ROWS && !(end_copy(side) && begin_copy(s)))
        return false;
    copy_add_row(&s->out, s->table, values);
    s->rows++;
    return s->out.len < SEND_BYTES || send_out(s);
}

/* ---- the end ---- */

static bool finish(struct side *side)
{
    struct postgres_side *s = (struct postgres_side *)side;
    if (s->use == SIDE_IMPORT && PQexitPipelineMode(s->connection) != 1)
        return fail(s, "cannot write the database");
    if (!run(s, pg_sql_recount))
        return fail(s, "cannot write the database");
    if (s->use == SIDE_MOVE && !run(s, "DROP TABLE " TABLE_UNFINISHED))
        return fail(s, "cannot write the database");
    if (!run(s, "UPDATE meta SET epoch = gen_random_uuid()"))
        return fail(s, "cannot write the database");
    PGresult *result = PQexec(s->connection, "COMMIT");
    const bool done = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    if (!done && PQstatus(s->connection) != CONNECTION_OK)
        return side_fail(side, "the database was lost at the commit",
                         "all of it was written or nothing; run this again to see which");
    if (!done)
        return fail(s, "cannot write the database");
    /* Or autovacuum does, in a while. */
    (void)(run(s, "SET statement_timeout = 0") && run_on_tables(s, "ANALYZE ", ""));
    return true;
}

const struct side_engine postgres_side = {
    .open = open_side,
    .close = close_side,
    .find_user = find_user,
    .count = count_rows,
    .read = read_table,
    .next = next_row,
    .write = write_table,
    .put = put_row,
    .written = end_copy,
    .insert = insert_row,
    .inserted = land,
    .finish = finish,
};
