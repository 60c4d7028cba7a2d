// SPDX-License-Identifier: MIT
#include "store/postgres/connect.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres/conninfo.h"
#include "store/postgres/sql.h"

#define ANSWER_MS    5000 /* of a server that has just taken a connection */
#define ADDRESS_SIZE 512

unsigned connect_allowed(PGconn *connection)
{
    static const char question[] =
        "SELECT least(current_setting('max_connections')::int - "
        "current_setting('superuser_reserved_connections')::int, nullif(rolconnlimit, -1), "
        "nullif(datconnlimit, -1)) FROM pg_roles, pg_database WHERE rolname = session_user AND "
        "datname = current_database()";
    PGresult *result = PQexec(connection, question);
    const bool answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    const long allowed = answered ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return allowed > 0 ? (unsigned)allowed : 0;
}

unsigned connect_share(unsigned allowed)
{
    if (allowed == 0)
        return UINT_MAX;
    return allowed >= 4 ? allowed / 2 - 1 : 1;
}

void connect_reason(const PGconn *connection, char *why, size_t why_size)
{
    const char *text = PQerrorMessage(connection);
    text += strspn(text, " \t\n");
    if (*text == '\0')
        text = "the connection was lost";
    (void)snprintf(why, why_size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- waiting with an end ---- */

/* Waits for bytes and takes them. */
static bool take_input(PGconn *connection, int64_t until_ms, int wake)
{
    struct pollfd ready[] = {{PQsocket(connection), POLLIN, 0}, {wake, POLLIN, 0}};
    /* Past the time too, what has come is looked at: a process that was stopped (SIGSTOP, a laptop
     * that slept) did not wait. */
    const int64_t left = until_ms - clock_mono_ms();
    const int found = poll(ready, 2, left > 0 ? (int)left : 0);
    if (found < 0)
        return errno == EINTR && left > 0;
    if (ready[1].revents || (found == 0 && left <= 0))
        return false;
    return found == 0 || PQconsumeInput(connection) == 1;
}

/* What PQgetResult answers, until the monotonic clock shows `until_ms` or `wake` is readable: then
 * NULL, and `*in_time` is false. */
static PGresult *ask_result(PGconn *connection, int64_t until_ms, int wake, bool *in_time)
{
    while (PQisBusy(connection)) {
        if (!take_input(connection, until_ms, wake)) {
            *in_time = false;
            return NULL;
        }
    }
    return PQgetResult(connection);
}

PGresult *connect_ask(PGconn *connection, const char *statement, const struct sql_value *values,
                      unsigned count, unsigned timeout_ms, int wake)
{
    const int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool in_time = true;
    PGresult *last = NULL;
    struct params p;
    p.count = 0;
    for (unsigned i = 0; i < count; i++)
        params_add(&p, &values[i]);
    if (PQsendQueryParams(connection, statement, p.count, p.types, p.values, p.lengths,
                          params_formats, 0) != 1)
        return NULL;
    for (;;) {
        PGresult *result = ask_result(connection, until_ms, wake, &in_time);
        if (!result)
            break;
        PQclear(last);
        last = result;
    }
    if (!in_time || PQstatus(connection) != CONNECTION_OK) {
        PQclear(last);
        last = NULL;
    }
    return last;
}

/* ---- what is agreed with the server ---- */

static struct slice add_ms(char text[static 16], unsigned ms)
{
    (void)snprintf(text, 16, "%u", ms);
    return slice_of(text);
}

/* A lock that is not had in time is worth another try, a statement that takes so long is not; both
 * end before whoever waits for them gives up. */
#define MAY_SERVE 5 /* the column of its answer that says so */

static PGresult *set_session(PGconn *connection, const struct connect_options *options)
{
    static const char statement[] =
        "SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') "
        "IN ('on', 'remote_apply') THEN current_setting('synchronous_commit') ELSE 'on' END, "
        "false), set_config('default_transaction_isolation', 'read committed', false), "
        "set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), "
        "set_config('idle_in_transaction_session_timeout', $3, false), "
        "$4::text = '' OR pg_try_advisory_lock_shared(" LOCK_SERVE ")";
    const unsigned timeout_ms = options->timeout_ms;
    char texts[3][16];
    const struct sql_value values[] = {
        SQL_TEXT(add_ms(texts[0], timeout_ms / 5 * 4)),
        SQL_TEXT(add_ms(texts[1], timeout_ms / 5 * 2)),
        SQL_TEXT(add_ms(texts[2], timeout_ms * 2)),
        SQL_TEXT(options->serving ? SLICE("serving") : SLICE("")),
    };
    return connect_ask(connection, statement, values, 4, ANSWER_MS, -1);
}

/* Asks again for what set_session was refused. */
static bool await_lock(PGconn *connection)
{
    const int64_t until_ms = clock_mono_ms() + LOCK_SERVE_MS;
    bool taken = false, answered = true;
    while (answered && !taken && clock_mono_ms() < until_ms) {
        PGresult *result = connect_ask(connection,
                                       "SELECT pg_try_advisory_lock_shared(" LOCK_SERVE
                                       ") FROM pg_sleep(" LOCK_SERVE_STEP ")",
                                       NULL, 0, ANSWER_MS, -1);
        answered = result && PQresultStatus(result) == PGRES_TUPLES_OK;
        taken = answered && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
        PQclear(result);
    }
    return taken;
}

/* Behind a pooler, what is set here would be another's: there it is set on the role. */
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
    PGresult *result = options->prepare
                           ? set_session(connection, options)
                           : connect_ask(connection, "SELECT current_setting('synchronous_commit')",
                                         NULL, 0, ANSWER_MS, -1);
    const bool answered = result && PQresultStatus(result) == PGRES_TUPLES_OK;
    const char *commit = answered ? PQgetvalue(result, 0, 0) : "";
    const bool durable = strcmp(commit, "on") == 0 || strcmp(commit, "remote_apply") == 0;
    const bool free = !answered || !options->prepare ||
                      strcmp(PQgetvalue(result, 0, MAY_SERVE), "t") == 0 ||
                      (options->awaits_lock && await_lock(connection));
    if (!answered)
        connect_reason(connection, why, why_size);
    else if (!free)
        (void)snprintf(why, why_size, "%s", LOCK_SERVE_WHY);
    else if (!durable)
        (void)snprintf(why, why_size,
                       "synchronous_commit is %s, so that a commit could be lost: ALTER ROLE ... "
                       "SET synchronous_commit = on",
                       commit);
    PQclear(result);
    return durable && free;
}

/* ---- connecting ---- */

void connect_log_notice(void *context, const PGresult *notice)
{
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(notice, PG_DIAG_MESSAGE_HINT);
    const bool warning = severity && strcmp(severity, "WARNING") == 0;
    (void)context;
    log_write(warning ? LOG_WARN : LOG_DEBUG, "postgres_notice",
              LOG_FIELDS(LOG_O("sqlstate", slice_of(state)),
                         LOG_T("message", slice_of(text ? text : PQresultErrorMessage(notice))),
                         LOG_O("hint", slice_of(hint))));
}

/* The address that is tried now; the time of one begins anew with each. */
static bool has_moved(const PGconn *connection, char at[static ADDRESS_SIZE])
{
    char now[ADDRESS_SIZE];
    const char *address = PQhostaddr(connection);
    (void)snprintf(now, sizeof now, "%s %s %s", PQhost(connection), address ? address : "",
                   PQport(connection));
    const bool moved = strcmp(now, at) != 0;
    memcpy(at, now, sizeof now);
    return moved;
}

/* Goes on until the connection is there or has failed. False: an address does not answer in time,
 * which libpq cannot be told. */
static bool await_connection(PGconn *connection, int most_ms)
{
    char at[ADDRESS_SIZE] = "";
    int64_t until_ms = 0;
    PostgresPollingStatusType wish = PGRES_POLLING_WRITING;
    while (wish == PGRES_POLLING_WRITING || wish == PGRES_POLLING_READING) {
        if (has_moved(connection, at))
            until_ms = clock_mono_ms() + most_ms;
        struct pollfd socket = {.fd = PQsocket(connection),
                                .events = wish == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        const int64_t left_ms = until_ms - clock_mono_ms();
        const int found = socket.fd < 0 ? 1 : poll(&socket, 1, left_ms > 0 ? (int)left_ms : 0);
        if (found > 0)
            wish = PQconnectPoll(connection);
        else if (left_ms <= 0)
            return false;
    }
    return true;
}

/* After an address that a network swallows comes the next one of its host, when the kernel gives
 * up: so its patience is that of one address while it connects, and then that of an operation. */
static void set_patience(PGconn *connection, const struct conninfo *info)
{
    const char *text = conninfo_value(info, "tcp_user_timeout");
    const unsigned ms = text ? (unsigned)strtoul(text, NULL, 10) : 0;
    if (ms > 0 && PQsocket(connection) >= 0)
        (void)setsockopt(PQsocket(connection), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

/* What PQconnectdbParams does, with the receiver of notices in its place before the server can say
 * anything. `*timed_out`: the host that it stands at does not answer. NULL without memory. */
static PGconn *connect_params(struct conninfo *info, bool *timed_out)
{
    const char *text = conninfo_value(info, "connect_timeout");
    const int said = text ? (int)strtol(text, NULL, 10) : 0;
    const int seconds = said > 1 ? said : 2;
    char patience[16];
    (void)snprintf(patience, sizeof patience, "%d", seconds * 1000);
    const char *wished = conninfo_replace(info, "tcp_user_timeout", patience);
    PGconn *connection = PQconnectStartParams(info->keywords, info->values, 0);
    (void)conninfo_replace(info, "tcp_user_timeout", wished);
    PQsetNoticeReceiver(connection, connect_log_notice, NULL);
    *timed_out = connection && PQstatus(connection) != CONNECTION_BAD &&
                 !await_connection(connection, seconds * 1000 + 500);
    if (PQstatus(connection) == CONNECTION_OK)
        set_patience(connection, info);
    return connection;
}

/* Connects to the first of the hosts that is there, begun at `*first`. NULL with the reason in
 * `why`.
 * `*first` becomes the host to try first the next time: that of the connection, or one after. libpq
 * goes no further than a host that answers and then hangs up (a proxy whose server is dead) or
 * refuses: so that one must not stand first again. */
static PGconn *connect_hosts(const struct connect_options *options, unsigned *first, bool writable,
                             char *why, size_t why_size)
{
    struct conninfo info;
    PGconn *connection = NULL;
    bool timed_out = true;
    unsigned hosts = 1;
    for (unsigned tried = 0; timed_out && tried < hosts; tried++) {
        PQfinish(connection);
        if (!conninfo_init(&info, options->url, options->timeout_ms, *first, writable, why,
                           why_size))
            return NULL;
        hosts = info.hosts;
        connection = connect_params(&info, &timed_out);
        const unsigned at = conninfo_host_of(&info, *first, connection);
        if (timed_out)
            (void)snprintf(why, why_size, "no answer from %s port %s", PQhost(connection),
                           PQport(connection));
        else if (PQstatus(connection) != CONNECTION_OK)
            connect_reason(connection, why, why_size);
        *first = PQstatus(connection) == CONNECTION_OK && !timed_out ? at
                 : timed_out                                         ? (at + 1) % hosts
                                                                     : (*first + 1) % hosts;
        conninfo_finish(&info);
    }
    if (!timed_out && PQstatus(connection) == CONNECTION_OK)
        return connection;
    PQfinish(connection);
    return NULL;
}

static PGconn *try_once(const struct connect_options *options, bool writable, char *why,
                        size_t why_size)
{
    unsigned first = options->host ? atomic_load(options->host) : 0;
    PGconn *connection = connect_hosts(options, &first, writable, why, why_size);
    if (options->host && writable)
        atomic_store(options->host, first);
    if (connection && !settle(connection, options, why, why_size)) {
        PQfinish(connection);
        connection = NULL;
    }
    return connection;
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
    for (unsigned sql = 0; sql < sql_count(); sql++) {
        char name[SQL_NAME_LEN];
        Oid types[PARAMS_MOST];
        const struct sql_text *statement = sql_text(sql);
        int count = 0;
        for (const char *letter = statement->types; *letter; letter++)
            types[count++] = params_type(*letter);
        sql_name(sql, name);
        if (PQsendPrepare(connection, name, statement->text, count, types) != 1)
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
