// SPDX-License-Identifier: MIT
#include "store/postgres/connect.h"

#include <assert.h>
#include <errno.h>
#include <libpq-events.h>
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
#define SETTLE_MS    2500 /* of the first statement on it: a pooler lets it wait for a dead server */
#define ADDRESS_SIZE 512

void connect_reason(const PGconn *connection, char *why, size_t why_size)
{
    assert(why && why_size > 0);
    const char *text = PQerrorMessage(connection);
    text += strspn(text, " \t\n");
    if (*text == '\0')
        text = "the connection was lost";
    (void)snprintf(why, why_size, "%.*s", (int)strcspn(text, "\n"), text);
}

bool connect_run(PGconn *connection, const char *statements)
{
    PGresult *result = PQexec(connection, statements);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool connect_commit(PGconn *connection)
{
    PGresult *result = PQexec(connection, "COMMIT");
    const bool done = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return done;
}

bool connect_number(PGconn *connection, const char *statement, int64_t *number)
{
    PGresult *result = PQexec(connection, statement);
    const bool answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (answered)
        *number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return answered;
}

unsigned connect_allowed(PGconn *connection)
{
    int64_t allowed = 0;
    assert(connection);
    (void)connect_number(
        connection,
        "SELECT least(current_setting('max_connections')::int - "
        "current_setting('superuser_reserved_connections')::int, nullif(rolconnlimit, -1), "
        "nullif(datconnlimit, -1)) FROM pg_roles, pg_database WHERE rolname = session_user AND "
        "datname = current_database()",
        &allowed);
    return allowed > 0 ? (unsigned)allowed : 0;
}

unsigned connect_share(unsigned allowed)
{
    if (allowed == 0)
        return UINT_MAX;
    return allowed >= 4 ? allowed / 2 - 1 : 1;
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

bool connect_send(PGconn *connection, const char *statement, const struct sql_value *values,
                  unsigned count)
{
    struct params p;
    params_init(&p, values, count);
    return PQsendQueryParams(connection, statement, p.count, p.types, p.values, p.lengths,
                             params_formats, 0) == 1;
}

bool connect_wait(PGconn *connection, unsigned timeout_ms, int wake)
{
    const int64_t until_ms = clock_mono_ms() + timeout_ms;
    while (PQisBusy(connection)) {
        if (!take_input(connection, until_ms, wake))
            return false;
    }
    return true;
}

PGresult *connect_take(PGconn *connection, unsigned timeout_ms, int wake)
{
    const int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool in_time = true;
    PGresult *last = NULL;
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

PGresult *connect_ask(PGconn *connection, const char *statement, const struct sql_value *values,
                      unsigned count, unsigned timeout_ms, int wake)
{
    return connect_send(connection, statement, values, count)
               ? connect_take(connection, timeout_ms, wake)
               : NULL;
}

/* ---- what is agreed with the server ---- */

/* What every connection is asked, and the columns of the answer. A pooler's greeting is that of an
 * earlier time, so the server itself has to say whether it takes writes; and the process that it
 * names is not that of the greeting. */
#define SERVER                                                                                     \
    "pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', pg_backend_pid()"
enum settle_column { READ_ONLY, PROCESS, COMMIT, MAY_SERVE = COMMIT + 5 };

/* A lock that is not had in time is worth another try, a statement that takes so long is not; both
 * end before whoever waits for them gives up. $1 to $3 are ms, $4 whether it serves. */
static const char set_session[] =
    "SELECT " SERVER
    ", set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') "
    "IN ('on', 'remote_apply') THEN current_setting('synchronous_commit') ELSE 'on' END, "
    "false), set_config('default_transaction_isolation', 'read committed', false), "
    "set_config('statement_timeout', $1::text, false), "
    "set_config('lock_timeout', $2::text, false), "
    "set_config('idle_in_transaction_session_timeout', $3::text, false), "
    "$4 = 0 OR pg_try_advisory_lock_shared(" LOCK_SERVE ")";

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

/* Marks a connection behind a pooler: it has this as its data of this procedure. */
static bool pooled = true;
static int on_event(PGEventId event, void *info, void *context)
{
    (void)event, (void)info, (void)context;
    return 1;
}

bool connect_is_pooled(const PGconn *connection)
{
    return PQinstanceData(connection, on_event) != NULL;
}

static bool note_pooler(PGconn *connection, const char *process)
{
    return strtol(process, NULL, 10) == PQbackendPID(connection) ||
           (PQregisterEventProc(connection, on_event, "pooled", NULL) == 1 &&
            PQsetInstanceData(connection, on_event, &pooled) == 1);
}

enum settled {
    SETTLED,
    NOT_SETTLED,
    NOT_HERE, /* the next host may be the one */
};

/* Behind a pooler, what is set here would be another's: there it is set on the role. `writable`:
 * the server must take writes. */
static enum settled settle(PGconn *connection, const struct connect_options *options, bool writable,
                           char *why, size_t why_size)
{
    const char *encoding = PQparameterStatus(connection, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        (void)snprintf(why, why_size,
                       "the database keeps text as %s; make one with ENCODING 'UTF8'",
                       encoding ? encoding : "it does not say what");
        return NOT_SETTLED;
    }
    const unsigned timeout_ms = options->timeout_ms;
    const struct sql_value values[] = {SQL_I64(timeout_ms / 5 * 4), SQL_I64(timeout_ms / 5 * 2),
                                       SQL_I64((int64_t)timeout_ms * 2), SQL_I64(options->serving)};
    PGresult *result = connect_ask(
        connection,
        options->prepare ? set_session : "SELECT " SERVER ", current_setting('synchronous_commit')",
        values, options->prepare ? 4 : 0, SETTLE_MS, -1);
    const bool answered = result && PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!answered || (writable && strcmp(PQgetvalue(result, 0, READ_ONLY), "t") == 0)) {
        if (answered)
            (void)snprintf(why, why_size, "%s port %s takes no writes", PQhost(connection),
                           PQport(connection));
        else
            connect_reason(connection, why, why_size);
        PQclear(result);
        return NOT_HERE;
    }
    const char *commit = PQgetvalue(result, 0, COMMIT);
    const bool durable = strcmp(commit, "on") == 0 || strcmp(commit, "remote_apply") == 0;
    const bool free = !options->prepare || strcmp(PQgetvalue(result, 0, MAY_SERVE), "t") == 0 ||
                      (options->awaits_lock && await_lock(connection));
    const bool noted = note_pooler(connection, PQgetvalue(result, 0, PROCESS));
    if (!noted)
        (void)snprintf(why, why_size, "no memory");
    else if (!free)
        (void)snprintf(why, why_size, "%s", LOCK_SERVE_WHY);
    else if (!durable)
        (void)snprintf(why, why_size,
                       "synchronous_commit is %s, so that a commit could be lost: ALTER ROLE ... "
                       "SET synchronous_commit = on",
                       commit);
    PQclear(result);
    return durable && free && noted ? SETTLED : NOT_SETTLED;
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

/* Goes on until the connection is there or has failed. False: an address does not answer in time,
 * which libpq cannot be told. */
static bool await_connection(PGconn *connection, int most_ms)
{
    char at[ADDRESS_SIZE] = "";
    char now[ADDRESS_SIZE];
    int64_t until_ms = 0;
    PostgresPollingStatusType wish = PGRES_POLLING_WRITING;
    while (wish == PGRES_POLLING_WRITING || wish == PGRES_POLLING_READING) {
        const char *address = PQhostaddr(connection);
        (void)snprintf(now, sizeof now, "%s %s %s", PQhost(connection), address ? address : "",
                       PQport(connection));
        if (strcmp(now, at) != 0)
            until_ms = clock_mono_ms() + most_ms; /* that of one address */
        memcpy(at, now, sizeof at);
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

/* What PQconnectdbParams does, with the receiver of notices in its place before the server can say
 * anything. `*timed_out`: the host that it stands at does not answer. NULL without memory. */
static PGconn *connect_params(struct conninfo *info, bool *timed_out)
{
    const char *text = conninfo_value(info, "connect_timeout");
    const int said = text ? (int)strtol(text, NULL, 10) : 0;
    const int seconds = said > 1 ? said : 2;
    char patience[16];
    /* After an address that a network swallows comes the next one of its host, when the kernel
     * gives up: so its patience is that of one address while it connects, and then that of an
     * operation. */
    (void)snprintf(patience, sizeof patience, "%d", seconds * 1000);
    const char *wished = conninfo_replace(info, "tcp_user_timeout", patience);
    PGconn *connection = PQconnectStartParams(info->keywords, info->values, 0);
    (void)conninfo_replace(info, "tcp_user_timeout", wished);
    PQsetNoticeReceiver(connection, connect_log_notice, NULL);
    *timed_out = connection && PQstatus(connection) != CONNECTION_BAD &&
                 !await_connection(connection, seconds * 1000 + 500);
    const unsigned ms = wished ? (unsigned)strtoul(wished, NULL, 10) : 0;
    if (ms > 0 && PQstatus(connection) == CONNECTION_OK && PQsocket(connection) >= 0)
        (void)setsockopt(PQsocket(connection), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return connection;
}

/* Connects to the first of the hosts that is there, begun at options->host, which becomes the one
 * to try first the next time: that of the connection, or one after. libpq goes no further than a
 * host that answers and then hangs up (a proxy whose server is dead) or refuses: so that one must
 * not stand first again. NULL with the reason in `why`. */
static PGconn *try_once(const struct connect_options *options, bool writable, char *why,
                        size_t why_size)
{
    struct conninfo info;
    PGconn *connection = NULL;
    bool timed_out = false, connected = false;
    enum settled settled = NOT_HERE;
    unsigned first = options->host ? atomic_load(options->host) : 0;
    unsigned hosts = 1;
    for (unsigned tried = 0; settled == NOT_HERE && tried < hosts; tried++) {
        PQfinish(connection);
        if (!conninfo_init(&info, options->url, options->timeout_ms, first, why, why_size))
            return NULL;
        hosts = info.hosts;
        connection = connect_params(&info, &timed_out);
        connected = !timed_out && PQstatus(connection) == CONNECTION_OK;
        settled = connected   ? settle(connection, options, writable, why, why_size)
                  : timed_out ? NOT_HERE
                              : NOT_SETTLED;
        const unsigned at = conninfo_host_of(&info, first, connection);
        if (timed_out)
            (void)snprintf(why, why_size, "no answer from %s port %s", PQhost(connection),
                           PQport(connection));
        else if (!connected)
            connect_reason(connection, why, why_size);
        if (!connected || settled == NOT_HERE)
            first = ((settled == NOT_HERE ? at : first) + 1) % hosts;
        else
            first = at;
        conninfo_finish(&info);
    }
    if (options->host && writable)
        atomic_store(options->host, first);
    if (settled == SETTLED)
        return connection;
    PQfinish(connection);
    return NULL;
}

PGconn *connect_open(const struct connect_options *options, char *why, size_t why_size)
{
    assert(options && options->url && why_size > 0);
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
    if (!conninfo_init(&info, options->url, options->timeout_ms, 0, why, sizeof why))
        return false;
    const PGPing found = PQpingParams(info.keywords, info.values, 0);
    conninfo_finish(&info);
    return found == PQPING_REJECT || found == PQPING_NO_RESPONSE;
}

/* ---- statements ---- */

/* All in one flight. Results end with that of the synchronisation point; between those of two
 * statements stands NULL. */
static bool prepare(PGconn *connection)
{
    const int64_t until_ms = clock_mono_ms() + ANSWER_MS;
    bool in_time = true;
    if (PQenterPipelineMode(connection) != 1)
        return false;
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
    if (PQpipelineSync(connection) != 1)
        return false;
    for (ExecStatusType status = PGRES_COMMAND_OK; status != PGRES_PIPELINE_SYNC;) {
        PGresult *result = ask_result(connection, until_ms, -1, &in_time);
        if (result)
            status = PQresultStatus(result);
        PQclear(result);
        if (!in_time || PQstatus(connection) != CONNECTION_OK || status == PGRES_FATAL_ERROR ||
            status == PGRES_PIPELINE_ABORTED)
            return false;
    }
    return PQexitPipelineMode(connection) == 1;
}

PGconn *connect_ready(const struct connect_options *options, bool *refused, char *why,
                      size_t why_size)
{
    char reason[200];
    PGconn *connection = connect_open(options, why, why_size);
    *refused = connection && options->prepare && !prepare(connection);
    if (!*refused)
        return connection;
    connect_reason(connection, reason, sizeof reason);
    (void)snprintf(why, why_size, "%s (is there a pooler between? DATABASE_PREPARED=off)", reason);
    PQfinish(connection);
    return NULL;
}
