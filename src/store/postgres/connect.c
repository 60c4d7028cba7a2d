#include "store/postgres/connect.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/postgres/ask.h"
#include "store/postgres/conninfo.h"
#include "store/postgres/sql.h"

#define ANSWER_MS 5000 /* of a server that has just taken a connection */

void connect_reason(const PGconn *connection, char *why, size_t why_size)
{
    const char *text = PQerrorMessage(connection);
    text += strspn(text, " \t\n");
    if (*text == '\0')
        text = "the connection was lost";
    (void)snprintf(why, why_size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- what is agreed with the server ---- */

static struct slice add_ms(char text[static 16], unsigned ms)
{
    (void)snprintf(text, 16, "%u", ms);
    return slice_of(text);
}

/* A lock that is not had in time is worth another try, a statement that takes so long is not; both
 * end before whoever waits for them gives up. */
static PGresult *set_session(PGconn *connection, unsigned timeout_ms)
{
    static const char statement[] =
        "SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') "
        "IN ('on', 'remote_apply') THEN current_setting('synchronous_commit') ELSE 'on' END, "
        "false), set_config('default_transaction_isolation', 'read committed', false), "
        "set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), "
        "set_config('idle_in_transaction_session_timeout', $3, false)";
    char texts[3][16];
    struct params params = {0};
    params_text(&params, add_ms(texts[0], timeout_ms / 5 * 4));
    params_text(&params, add_ms(texts[1], timeout_ms / 5 * 2));
    params_text(&params, add_ms(texts[2], timeout_ms * 2));
    return ask(connection, statement, &params, ANSWER_MS, -1);
}

/* Behind a pooler, what is set here would be another's: there it is set on the role. */
static PGresult *read_session(PGconn *connection)
{
    return ask(connection, "SELECT current_setting('synchronous_commit')", NULL, ANSWER_MS, -1);
}

static bool is_durable(const char *synchronous_commit)
{
    return strcmp(synchronous_commit, "on") == 0 || strcmp(synchronous_commit, "remote_apply") == 0;
}

static bool settle(PGconn *connection, const struct connect_options *options, char *why,
                   size_t why_size)
{
    const char *encoding = PQparameterStatus(connection, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        (void)snprintf(why, why_size,
                       "the database keeps text as %s; make one with ENCODING 'UTF8'",
                       encoding ? encoding : "it does not say what");
        return false;
    }
    PGresult *result =
        options->prepare ? set_session(connection, options->timeout_ms) : read_session(connection);
    const bool answered = result && PQresultStatus(result) == PGRES_TUPLES_OK;
    const bool durable = answered && is_durable(PQgetvalue(result, 0, 0));
    if (!answered)
        connect_reason(connection, why, why_size);
    else if (!durable)
        (void)snprintf(why, why_size,
                       "synchronous_commit is %s, so that a commit could be lost: ALTER ROLE ... "
                       "SET synchronous_commit = on",
                       PQgetvalue(result, 0, 0));
    PQclear(result);
    return durable;
}

/* ---- connecting ---- */

/* libpq's own writes to standard error. */
static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

/* Which host is tried first the next time. libpq goes no further than a host that answers and then
 * hangs up (a proxy whose server is dead) or refuses: so it must not stand first again. */
static unsigned next_host(const struct conninfo *info, unsigned first, const PGconn *connection)
{
    return PQstatus(connection) == CONNECTION_OK ? conninfo_host_of(info, first, connection)
                                                 : (first + 1) % info->hosts;
}

static PGconn *try_once(const struct connect_options *options, bool writable, char *why,
                        size_t why_size)
{
    struct conninfo info;
    const unsigned first = options->host ? atomic_load(options->host) : 0;
    if (!conninfo_init(&info, options->url, options->timeout_ms, first, writable, why, why_size))
        return NULL;
    PGconn *connection = PQconnectdbParams(info.keywords, info.values, 0);
    bool good = PQstatus(connection) == CONNECTION_OK;
    if (!good)
        connect_reason(connection, why, why_size);
    if (options->host && writable)
        atomic_store(options->host, next_host(&info, first, connection));
    conninfo_finish(&info);
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    if (good)
        good = settle(connection, options, why, why_size);
    if (good)
        return connection;
    PQfinish(connection);
    return NULL;
}

PGconn *connect_open(const struct connect_options *options, char *why, size_t why_size)
{
    return try_once(options, true, why, why_size);
}

bool connect_may_come(const struct connect_options *options)
{
    char why[256];
    struct conninfo info;
    PGconn *connection = try_once(options, false, why, sizeof why);
    if (connection) {
        PQfinish(connection);
        return true; /* it has come, or will take writes when it was promoted */
    }
    if (!conninfo_init(&info, options->url, options->timeout_ms, 0, false, why, sizeof why))
        return false;
    const PGPing found = PQpingParams(info.keywords, info.values, 0);
    conninfo_finish(&info);
    return found == PQPING_REJECT || found == PQPING_NO_RESPONSE;
}

/* ---- statements ---- */

static bool send_statements(PGconn *connection)
{
    for (enum sql sql = 0; sql < SQL_COUNT; sql++) {
        char name[SQL_NAME_LEN];
        Oid types[PARAMS_MOST];
        const int count = sql_types(sql, types);
        sql_name(sql, name);
        if (PQsendPrepare(connection, name, sql_text(sql)->text, count, types) != 1)
            return false;
    }
    return PQpipelineSync(connection) == 1;
}

/* Results end with that of the synchronisation point; between those of two statements stands NULL.
 */
static bool take_answers(PGconn *connection)
{
    const int64_t until_ms = clock_mono_ms() + ANSWER_MS;
    bool in_time = true;
    for (ExecStatusType status = PGRES_COMMAND_OK; status != PGRES_PIPELINE_SYNC;) {
        PGresult *result = ask_result(connection, until_ms, -1, &in_time);
        if (!in_time || PQstatus(connection) != CONNECTION_OK) {
            PQclear(result);
            return false;
        }
        if (!result)
            continue;
        status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
            return false;
    }
    return true;
}

bool connect_prepare(PGconn *connection)
{
    return PQenterPipelineMode(connection) == 1 && send_statements(connection) &&
           take_answers(connection) && PQexitPipelineMode(connection) == 1;
}
