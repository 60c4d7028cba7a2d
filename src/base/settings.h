// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SETTINGS_H
#define TASKHOLD_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"

/* The one table of settings. Its rows give --help, `taskhold config`, the manual page and
 * docs/configuration.md.
 *
 * TEXT(member, NAME, flag or NULL, default or NULL, secret, help)
 * CHOICE(member, NAME, flag, default, words, help): the value is one of the words (`on or off`);
 *     its help is the words and then `help`
 * NUMBER(member, NAME, flag, default, least, most, help)
 *
 * A secret is masked when it is printed, and NAME_FILE may name a file that holds it. */
#define SETTINGS_LIST(TEXT, CHOICE, NUMBER)                                                        \
    TEXT(host, "HOST", "host", "127.0.0.1", false, "address to listen on")                         \
    NUMBER(port, "PORT", "port", 8080, 0, 65535, "port; 0 picks a free one and prints it")         \
    TEXT(database_url, "DATABASE_URL", "database", "sqlite:data/taskhold.db", true,                \
         "sqlite:PATH, postgres://... or postgresql://...")                                        \
    NUMBER(database_pool, "DATABASE_POOL", "database-pool", 4, 2, 64,                              \
           "PostgreSQL: connections an event loop may have, besides one or two a process")         \
    NUMBER(database_timeout_ms, "DATABASE_TIMEOUT_MS", "database-timeout-ms", 5000, 500, 60000,    \
           "PostgreSQL: milliseconds that a call may take before it is answered 503")              \
    CHOICE(database_prepared, "DATABASE_PREPARED", "database-prepared", "on", "on or off",         \
           "; PostgreSQL: off with a pooler that mixes sessions (PgBouncer before 1.21 in "        \
           "transaction mode); set the timeouts on the role then")                                 \
    TEXT(jwt_secret, "JWT_SECRET", NULL, NULL, true,                                               \
         "at least 32 bytes; with SQLite made at first start, kept beside the database file")      \
    TEXT(jwt_secret_previous, "JWT_SECRET_PREVIOUS", NULL, NULL, true,                             \
         "verifies tokens and signs none: to change the secret without logging anyone out")        \
    NUMBER(access_token_ttl, "ACCESS_TOKEN_TTL", "access-token-ttl", 900, 1, 86400,                \
           "seconds that an access token is valid")                                                \
    NUMBER(refresh_token_ttl, "REFRESH_TOKEN_TTL", "refresh-token-ttl", 2592000, 1, 31536000,      \
           "seconds that a refresh token is valid")                                                \
    NUMBER(refresh_grace_seconds, "REFRESH_GRACE_SECONDS", "refresh-grace-seconds", 60, 0, 600,    \
           "how long a used refresh token is still answered with the current one, in seconds")     \
    CHOICE(registration, "REGISTRATION", "registration", "open", "open or closed",                 \
           "; closed: an account needs an invitation or `taskhold user add`")                      \
    NUMBER(user_tasks_most, "USER_TASKS_MOST", "user-tasks-most", 100000, 1, 1000000000,           \
           "tasks that one user may hold; above it 507")                                           \
    NUMBER(user_bytes_most, "USER_BYTES_MOST", "user-bytes-most", 268435456, 1048576,              \
           1099511627776,                                                                          \
           "bytes that one user's tasks, their changes (see KEEP_SECONDS) and kept answers may "   \
           "hold; above it 507")                                                                   \
    NUMBER(keep_seconds, "KEEP_SECONDS", "keep-seconds", 2592000, 60, 31536000,                    \
           "seconds that changes are kept: how long a client may be away and go on with "          \
           "/v1/changes, and how long trash, history and undo go back")                            \
    NUMBER(password_min_length, "PASSWORD_MIN_LENGTH", "password-min-length", 8, 8, 64,            \
           "characters (code points) that a password must have")                                   \
    CHOICE(rate_limit, "RATE_LIMIT", "rate-limit", "on", "on or off",                              \
           "; off turns every quota off (load tests)")                                             \
    TEXT(trusted_proxies, "TRUSTED_PROXIES", "trusted-proxies", NULL, false,                       \
         "CIDRs whose X-Forwarded-For is believed, comma separated")                               \
    TEXT(client_address_header, "CLIENT_ADDRESS_HEADER", "client-address-header", NULL, false,     \
         "Forwarded, or a field with the client's address alone (Fly-Client-IP); believed from "   \
         "TRUSTED_PROXIES, in place of X-Forwarded-For")                                           \
    TEXT(public_url, "PUBLIC_URL", "public-url", NULL, false,                                      \
         "scheme, host and path prefix as clients see them (https://example.com/todo)")            \
    NUMBER(idle_seconds, "IDLE_SECONDS", "idle-seconds", 75, 5, 3600,                              \
           "seconds that a connection may wait between requests")                                  \
    TEXT(tzdir, "TZDIR", "tzdir", NULL, false,                                                     \
         "folder of the time zones' files (tzdata); /usr/share/zoneinfo when not set")             \
    TEXT(cors_origins, "CORS_ORIGINS", "cors-origins", NULL, false,                                \
         "exact origins, comma separated, or * (safe: no answer allows credentials)")              \
    NUMBER(threads, "THREADS", "threads", 0, 0, 256,                                               \
           "event loops; 0 is one for each core that may be used (affinity, cgroup)")              \
    TEXT(jwt_issuer, "JWT_ISSUER", "jwt-issuer", "taskhold", false,                                \
         "the claim iss of access tokens")                                                         \
    NUMBER(max_body_bytes, "MAX_BODY_BYTES", "max-body-bytes", 262144, 4096, 16777216,             \
           "largest body of a request; above it 413")                                              \
    TEXT(metrics_addr, "METRICS_ADDR", "metrics-addr", NULL, false,                                \
         "host:port of a second listener with /metrics, /livez and /readyz; off when not set")     \
    CHOICE(log_level, "LOG_LEVEL", "log-level", "info", "debug, info, warn, error or off", "")     \
    CHOICE(log_format, "LOG_FORMAT", "log-format", "auto", "json, text or auto",                   \
           " (text on a terminal)")                                                                \
    CHOICE(sandbox, "SANDBOX", "sandbox", "on", "on, off or require",                              \
           "; what the server needs no more is closed (files, ports, system calls); require, or "  \
           "--require-sandbox: it does not start where the kernel cannot")                         \
    NUMBER(drain_seconds, "DRAIN_SECONDS", "drain-seconds", 10, 0, 600,                            \
           "how long SIGTERM lets work finish")                                                    \
    NUMBER(drain_delay_seconds, "DRAIN_DELAY_SECONDS", "drain-delay-seconds", 0, 0, 600,           \
           "how long /readyz is 503 before that, while all is served, for load balancers")

/* What else the program reads, from the environment alone: no flag, no file. VARIABLE(names, help)
 */
#define SETTINGS_VARIABLES(VARIABLE)                                                               \
    VARIABLE("ALLOW_EPHEMERAL",                                                                    \
             "1: SQLite also where the disk ends with the process, and all data with it")          \
    VARIABLE("ALLOW_NETWORK_FILESYSTEM",                                                           \
             "1: SQLite also on NFS or its like, where locks may fail")                            \
    VARIABLE("K_SERVICE, DYNO", "set by Cloud Run and Heroku: SQLite is refused")                  \
    VARIABLE("NO_COLOR", "not empty: no colour on a terminal")                                     \
    VARIABLE("TMPDIR, SQLITE_TMPDIR", "folders for temporary files: ours, SQLite's")               \
    VARIABLE("CREDENTIALS_DIRECTORY", "set by systemd: a folder with a file for each secret")      \
    VARIABLE("LISTEN_PID, LISTEN_FDS",                                                             \
             "set by systemd: the socket to serve on; HOST and PORT are ignored")                  \
    VARIABLE("NOTIFY_SOCKET", "set by systemd: where to tell that the server is ready")            \
    VARIABLE("WATCHDOG_PID, WATCHDOG_USEC",                                                        \
             "set by systemd: how soon to tell that it still works")                               \
    VARIABLE("PGPASSWORD, PGSSLMODE, ...", "libpq's own: what DATABASE_URL does not say")          \
    VARIABLE("HOME", "where libpq looks for .pgpass and .postgresql")                              \
    VARIABLE("SOURCE_DATE_EPOCH", "the date of the manual page, in seconds since 1970")

/* Where a value came from. */
enum settings_origin {
    SETTINGS_DEFAULT,
    SETTINGS_DOTENV,
    SETTINGS_ENV_FILE, /* --env-file FILE, or the file of the packaged service */
    SETTINGS_ENVIRONMENT,
    SETTINGS_FILE, /* NAME_FILE, wherever that stands */
    SETTINGS_FLAG,
};

#define SETTINGS_ID(member, ...) SETTING_##member,
enum setting_id { SETTINGS_LIST(SETTINGS_ID, SETTINGS_ID, SETTINGS_ID) SETTING_COUNT };
#undef SETTINGS_ID

/* A row of SETTINGS_LIST as data. */
struct setting_row {
    const char *name; /* in the environment */
    const char *flag; /* without the dashes; NULL: never a flag */
    const char *help;
    const char *fallback_text; /* of texts; NULL: absent */
    const char *choice;        /* the words that a text may be; NULL: see settings_check.c */
    int64_t fallback;          /* of numbers, as the next two */
    int64_t least;
    int64_t most;
    size_t offset; /* of the member in struct settings */
    bool is_number;
    bool secret;
};

extern const struct setting_row setting_rows[SETTING_COUNT];

#define SETTINGS_TEXT(member, ...)   char *member;
#define SETTINGS_NUMBER(member, ...) int64_t member;
/* Absent texts are NULL. Owned by the struct. */
struct settings {
    SETTINGS_LIST(SETTINGS_TEXT, SETTINGS_TEXT, SETTINGS_NUMBER)
    enum settings_origin origins[SETTING_COUNT];
    char *env_file;                  /* that was read; NULL: none */
    char *remarks;                   /* lines about what is probably a slip; NULL: none */
    char *files[SETTING_COUNT];      /* that a secret was read from; else NULL */
    char *given[SETTING_COUNT];      /* the text of a number that is none; else NULL */
    char *faults[SETTING_COUNT + 1]; /* what is wrong with a value and what to do; NULL: nothing.
                                        The last is for the files of settings themselves. */
};
#undef SETTINGS_TEXT
#undef SETTINGS_NUMBER

/* Reads flags (argv after the subcommand), then the environment, then the file of `--env-file`,
 * then `.env` in the working folder, then defaults, and checks every range and every text. Without
 * `--env-file` and without a DATABASE_URL, root and the user of the packaged service get the file
 * of that service. Blanks and line ends around a value are taken off. A value of no characters
 * takes away what has no default, and is a fault elsewhere.
 *
 * Returns 0, also when there are faults; or, after one line on standard error, 2 (usage: an unknown
 * flag) or 1 (out of memory), and `settings` is then empty. `rest` and `rest_count` receive what is
 * not a flag (may be NULL: then any is usage); `argv` is put in order for that. */
int settings_read(struct settings *settings, int argc, char **argv, char ***rest, int *rest_count)
    __attribute__((warn_unused_result));

/* The first fault as a line; NULL: every value is good. */
const char *settings_fault(const struct settings *settings);

/* Makes the lack of JWT_SECRET a fault where the database is no file: for who signs tokens. */
void settings_need_secret(struct settings *settings);

/* settings_read for a command: says the remarks, and the first fault, on standard error. Returns 0,
 * 1, 2 or 78 (configuration); but for 0 `settings` is empty. */
int settings_load(struct settings *settings, int argc, char **argv, char ***rest, int *rest_count)
    __attribute__((warn_unused_result));
void settings_finish(struct settings *settings);

/* The form and the level of the log lines, as far as the settings are good; `json_if_auto`: where
 * LOG_FORMAT is auto. settings_load has done it for a command, whose lines are then text, wherever
 * standard error leads. */
void settings_set_up_log(const struct settings *settings, bool json_if_auto);

/* For who reads the settings again: whether both have the same value; and gives each the value of
 * the other. */
bool settings_same(const struct settings *a, const struct settings *b, enum setting_id id);
void settings_exchange(struct settings *a, struct settings *b, enum setting_id id);

/* Says in `why` what is wrong with a DATABASE_URL whose scheme is known, without its password;
 * true: nothing. Set by main, because the engines live in another room; NULL: not asked. */
extern bool (*settings_judge_database)(const char *url, char *why, size_t why_size);

/* One line a setting, secrets masked, with its origin and what is wrong with it: text, or a JSON
 * object {"settings":[...]}. False: it could not be written. */
bool settings_print(const struct settings *settings, FILE *out, bool json);

/* Appends a DATABASE_URL without its password. */
void settings_add_url(struct buffer *out, const char *url);

/* The tables of docs/configuration.md. */
void settings_print_markdown(FILE *out);

#endif
