// SPDX-License-Identifier: MIT
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/machine.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "store/postgres/connect.h"
#include "store/postgres/migrate.h"
#include "store/postgres/transfer_db.h"
#include "store/store.h"

#define VERSION_LEAST 120000
#define CLOCK_MOST_MS 2000

/* What the server is asked, in one statement. */
enum answer {
    VERSION,
    SYNCHRONOUS_COMMIT, /* before our own connection raised it */
    FSYNC,
    FULL_PAGE_WRITES,
    SYNCHRONOUS_STANDBYS,
    STANDBYS,    /* that are connected */
    CONNECTIONS, /* that there are now, but this one */
    CLOCK_MS,
};

static const char questions[] =
    "SELECT current_setting('server_version'), "
    "(SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'), "
    "current_setting('fsync'), current_setting('full_page_writes'), "
    "current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication), "
    "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') - 1, "
    "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

static const char *answer_of(const PGresult *answers, enum answer which)
{
    return PQgetvalue(answers, 0, (int)which);
}

static int64_t number_of(const PGresult *answers, enum answer which)
{
    return strtoll(answer_of(answers, which), NULL, 10);
}

static bool is_on(const PGresult *answers, enum answer which)
{
    return strcmp(answer_of(answers, which), "on") == 0;
}

/* ---- what is found ---- */

static void check_schema(struct doctor *d, PGconn *connection)
{
    const int version = migrate_postgres_version(connection);
    const int head = migrate_postgres_head();

    if (version == MIGRATE_OLD_FORM) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s", MIGRATE_OLD_FORM_WHY);
    } else if (version < 0) {
        doctor_say(d, DOCTOR_ERROR, "schema",
                   "it cannot be read: check the privileges of the role");
    } else if (postgres_transfer_unfinished(connection)) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s", TABLE_UNFINISHED_WHY);
    } else if (version > head) {
        doctor_say(d, DOCTOR_ERROR, "schema",
                   "%d, but this program knows only up to %d: start the newer program", version,
                   head);
    } else if (version == head) {
        doctor_say(d, DOCTOR_OK, "schema", "%d, the newest", version);
    } else {
        doctor_say(d, DOCTOR_WARNING, "schema", "%d of %d: run taskhold migrate, or serve", version,
                   head);
    }
}

static void check_durability(struct doctor *d, const PGresult *answers)
{
    const char *commit = answer_of(answers, SYNCHRONOUS_COMMIT);
    const char *names = answer_of(answers, SYNCHRONOUS_STANDBYS);

    if (!is_on(answers, FSYNC) || !is_on(answers, FULL_PAGE_WRITES)) {
        doctor_say(d, DOCTOR_WARNING, "durability",
                   "fsync is %s and full_page_writes is %s: a loss of power may destroy the "
                   "database; turn both on",
                   answer_of(answers, FSYNC), answer_of(answers, FULL_PAGE_WRITES));
    } else if (strcmp(commit, "on") == 0 || strcmp(commit, "remote_apply") == 0) {
        doctor_say(d, DOCTOR_OK, "durability", "each commit waits for the disk");
    } else {
        doctor_say(d, DOCTOR_OK, "durability",
                   "synchronous_commit is %s, and on for our own connections", commit);
    }

    if (*names) {
        doctor_say(d, DOCTOR_OK, "standby", "each commit waits for %s: a failover loses nothing",
                   names);
    } else if (number_of(answers, STANDBYS) > 0) {
        doctor_say(d, DOCTOR_WARNING, "standby",
                   "%s connected, but no commit waits for one: a failover may lose the last "
                   "acknowledged writes; set synchronous_standby_names",
                   answer_of(answers, STANDBYS));
    } else {
        doctor_say(d, DOCTOR_OK, "standby",
                   "none: what is lost with this server can only come back from a backup");
    }
}

/* A node that gets fewer than it could use works with those: its loops share them. */
static void check_connections(struct doctor *d, PGconn *connection, const PGresult *answers)
{
    struct machine machine;
    struct machine_use use;
    const unsigned allowed = connect_allowed(connection);
    const int64_t share = connect_share(allowed);

    machine_read("", &machine);
    machine_plan(&machine, (unsigned)d->settings.threads, &use);
    const int64_t wanted = (int64_t)use.loops * d->settings.database_pool;
    if (wanted > share) {
        doctor_say(d, DOCTOR_WARNING, "connections",
                   "%u loops with %" PRId64 " each would use %" PRId64
                   ", and one more; the server allows %u, of which a node takes half: its loops "
                   "share %" PRId64 ", so that requests may wait; lower DATABASE_POOL or THREADS, "
                   "or raise max_connections or the role's limit",
                   use.loops, d->settings.database_pool, wanted, allowed, share);
    } else if (allowed == 0) {
        doctor_say(d, DOCTOR_OK, "connections",
                   "a node like this one takes up to %" PRId64 "; the server sets no limit",
                   wanted + 1);
    } else {
        doctor_say(d, DOCTOR_OK, "connections",
                   "a node like this one takes up to %" PRId64 " (%u loops, %" PRId64
                   " each, and one more); the server allows %u, and %" PRId64 " are in use",
                   wanted + 1, use.loops, d->settings.database_pool, allowed,
                   number_of(answers, CONNECTIONS));
    }
}

static void check_tls(struct doctor *d, PGconn *connection)
{
    const char *address = PQhostaddr(connection);
    PQconninfoOption *options = PQconninfo(connection);
    bool verified = false;

    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        verified = verified || (strcmp(o->keyword, "sslmode") == 0 && o->val &&
                                strcmp(o->val, "verify-full") == 0);
    }
    PQconninfoFree(options);
    if (!address || *address == '\0' || *address == '/' || strncmp(address, "127.", 4) == 0 ||
        strcmp(address, "::1") == 0) {
        doctor_say(d, DOCTOR_OK, "tls", "not needed: the server is on this machine");
    } else if (!PQsslInUse(connection)) {
        doctor_say(d, DOCTOR_WARNING, "tls",
                   "not in use, so anybody on the network can read every row: add "
                   "?sslmode=verify-full&sslrootcert=FILE, unless nobody else is on it");
    } else if (!verified) {
        doctor_say(d, DOCTOR_WARNING, "tls",
                   "%s, but anyone could be at the other end: add "
                   "?sslmode=verify-full&sslrootcert=FILE",
                   PQsslAttribute(connection, "protocol"));
    } else {
        doctor_say(d, DOCTOR_OK, "tls", "%s, and the server is who it says",
                   PQsslAttribute(connection, "protocol"));
    }
}

/* ---- all of them ---- */

static void ask_postgres(struct doctor *d, PGconn *connection)
{
    char why[512];
    const int64_t asked_ms = clock_wall_ms();
    PGresult *answers = PQexec(connection, questions);

    if (PQresultStatus(answers) != PGRES_TUPLES_OK) {
        connect_reason(connection, why, sizeof why);
        doctor_say(d, DOCTOR_ERROR, "postgres", "%s", why);
        PQclear(answers);
        return;
    }
    const int64_t answered_ms = clock_wall_ms();
    const int64_t theirs = number_of(answers, CLOCK_MS);
    const int64_t ahead = theirs > answered_ms ? theirs - answered_ms
                          : theirs < asked_ms  ? theirs - asked_ms
                                               : 0;
    if (ahead > CLOCK_MOST_MS || ahead < -CLOCK_MOST_MS) {
        doctor_say(d, DOCTOR_WARNING, "server-clock",
                   "%" PRId64
                   " ms away from this machine's: synchronise both with the same source (NTP)",
                   ahead);
    } else {
        doctor_say(d, DOCTOR_OK, "server-clock", "the same as this machine's, within %d ms",
                   CLOCK_MOST_MS);
    }
    if (PQserverVersion(connection) < VERSION_LEAST) {
        doctor_say(d, DOCTOR_ERROR, "postgres", "version %s: PostgreSQL 12 or newer is required",
                   answer_of(answers, VERSION));
    } else {
        doctor_say(d, DOCTOR_OK, "postgres", "version %s, text in %s", answer_of(answers, VERSION),
                   PQparameterStatus(connection, "server_encoding"));
    }
    check_schema(d, connection);
    check_durability(d, answers);
    check_connections(d, connection, answers);
    check_tls(d, connection);
    PQclear(answers);
}

void doctor_postgres(struct doctor *d)
{
    assert(d->shared && !d->path);
    char why[512] = "";
    const struct store_options store = cli_store_options(&d->settings);
    const struct connect_options options = {
        .url = store.url, .timeout_ms = store.timeout_ms, .prepare = !store.unprepared};
    PGconn *connection = connect_open(&options, why, sizeof why);

    if (connection) {
        doctor_say(d, DOCTOR_OK, "database", "%s as %s, on %s", PQdb(connection),
                   PQuser(connection), PQhost(connection));
        ask_postgres(d, connection);
    } else {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "%s: check that it is running and that DATABASE_URL is right", why);
    }
    if (d->settings.jwt_secret) {
        doctor_say(d, DOCTOR_OK, "secret", "JWT_SECRET is set; every node needs the same");
    } else {
        doctor_say(d, DOCTOR_ERROR, "secret",
                   "JWT_SECRET is not set, so taskhold serve will not start: make one for all "
                   "nodes with openssl rand -base64 48");
    }
    PQfinish(connection);
}
