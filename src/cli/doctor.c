// SPDX-License-Identifier: MIT
#include "cli/doctor.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/sandbox.h"
#include "cli/cli.h"
#include "cli/holder.h"
#include "http/listener.h"
#include "model/zone.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/store.h"

#define JSON_MOST        (256 * 1024)
#define FINDING_MOST     8192
#define YEAR_MS          (INT64_C(31556952) * 1000)
#define CLOCK_LEAST_MS   (56 * YEAR_MS)  /* the program is not older than 2026 */
#define CLOCK_MOST_MS    (130 * YEAR_MS) /* 2100 */
#define DESCRIPTORS_GOOD 1024

static const char *const level_names[] = {"ok", "warning", "error"};

void doctor_say(struct doctor *d, enum doctor_level level, const char *check, const char *format,
                ...)
{
    char text[FINDING_MOST];
    va_list arguments;

    assert(level <= DOCTOR_ERROR && check);
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    d->counts[level]++;
    if (d->as_json) {
        struct json_writer w;
        if (d->json.len > 0) {
            buffer_add_char(&d->json, ',');
        }
        json_writer_init(&w, &d->json);
        jw_open_object(&w);
        cli_json_text(&w, "level", level_names[level]);
        cli_json_text(&w, "check", check);
        cli_json_text(&w, "finding", text);
        jw_close_object(&w);
    } else {
        printf("%-8s %-12s %s\n", level_names[level], check, text);
    }
}

/* ---- the settings: what is wrong, and what is right and yet dangerous ---- */

/* What is wrong. */
static void check_values(struct doctor *d)
{
    struct slice remarks = slice_of(d->settings.remarks);
    bool good = true;

    for (unsigned id = 0; id <= SETTING_COUNT; id++) {
        if (d->settings.faults[id]) {
            doctor_say(d, DOCTOR_ERROR, "settings", "%s", d->settings.faults[id]);
            good = false;
        }
    }
    while (remarks.len > 0) {
        const struct slice line = slice_next(&remarks, '\n');
        /* Where they come from is no finding. */
        const bool slip = memmem(line.ptr, line.len, "did you mean", 12) != NULL;
        doctor_say(d, slip ? DOCTOR_WARNING : DOCTOR_OK, "settings", "%.*s", (int)line.len,
                   line.ptr);
    }
    if (good) {
        doctor_say(d, DOCTOR_OK, "settings", "every value is valid; taskhold config prints them");
    }
}

static void check_exposure(struct doctor *d)
{
    const char *networks = d->settings.trusted_proxies;
    bool all = false;

    if (strcmp(d->settings.rate_limit, "off") == 0) {
        doctor_say(d, DOCTOR_WARNING, "quotas",
                   "RATE_LIMIT is off, so passwords can be guessed without limit: remove it, "
                   "unless this is a load test");
    } else {
        doctor_say(d, DOCTOR_OK, "quotas", "on");
    }
    for (struct slice rest = slice_of(networks); rest.ptr && !all;) {
        all = slice_ends(slice_trim(slice_next(&rest, ',')), SLICE("/0"));
    }
    if (all) {
        doctor_say(d, DOCTOR_WARNING, "proxies",
                   "TRUSTED_PROXIES is %s, so anybody can put any address into a header and "
                   "escape every quota: list the proxies' own addresses, unless nothing else can "
                   "reach this port",
                   networks);
    } else if (networks) {
        doctor_say(d, DOCTOR_OK, "proxies", "%s", networks);
    } else {
        doctor_say(d, DOCTOR_OK, "proxies",
                   "none: the address of a client is that of its connection");
    }
}

/* The file that a secret came from; NULL: it came from none. */
static const char *file_of(const struct settings *settings, enum setting_id id)
{
    if (settings->files[id]) {
        return settings->files[id];
    }
    switch (settings->origins[id]) {
    case SETTINGS_DOTENV: return ".env";
    case SETTINGS_ENV_FILE: return settings->env_file;
    default: return NULL;
    }
}

static void check_secret_files(struct doctor *d)
{
    static const enum setting_id secrets[] = {SETTING_jwt_secret, SETTING_jwt_secret_previous,
                                              SETTING_database_url};
    const char *before[3] = {NULL};
    bool good = true;
    bool any = false;

    for (size_t i = 0; i < 3; i++) {
        const char *path = file_of(&d->settings, secrets[i]);
        struct stat status;
        /* The path of a file is no secret. */
        bool seen = !path || (secrets[i] == SETTING_database_url &&
                              strncmp(d->settings.database_url, "sqlite:", 7) == 0);
        for (size_t j = 0; j < i && !seen; j++) {
            seen = before[j] && strcmp(before[j], path) == 0;
        }
        if (seen) {
            continue;
        }
        before[i] = path;
        any = true;
        /* Its group may read it: that is how a service gets one of root's. */
        if (stat(path, &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
            const bool written = (status.st_mode & S_IWOTH) != 0;
            doctor_say(d, written ? DOCTOR_ERROR : DOCTOR_WARNING, "secret-files",
                       "%s holds a secret and has mode %03o, so others can %s it: chmod o-rwx %s",
                       path, (unsigned)status.st_mode & 0777, written ? "replace" : "read", path);
            good = false;
        }
    }
    if (any && good) {
        doctor_say(d, DOCTOR_OK, "secret-files", "others may not read the files with secrets");
    }
}

/* ---- the machine: clock, descriptors, threads, the address to listen on ---- */

static void check_machine(struct doctor *d)
{
    struct rlimit limit = {0};
    struct machine machine;
    struct machine_use use;
    char text[CLOCK_RFC3339_LEN];
    const int64_t now = clock_wall_ms();
    const int64_t mono = clock_mono_us();

    clock_format_rfc3339(now, text);
    if (now < CLOCK_LEAST_MS - YEAR_MS || now > CLOCK_MOST_MS) {
        doctor_say(d, DOCTOR_ERROR, "clock",
                   "it shows %.*s: set it (timedatectl), because tokens expire by it",
                   CLOCK_RFC3339_LEN, text);
    } else if (clock_mono_us() < mono) {
        doctor_say(d, DOCTOR_ERROR, "clock",
                   "the monotonic clock went backwards: repair the machine");
    } else {
        doctor_say(d, DOCTOR_OK, "clock", "%.*s, and the monotonic clock advances",
                   CLOCK_RFC3339_LEN, text);
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= DESCRIPTORS_GOOD) {
        doctor_say(d, DOCTOR_OK, "descriptors", "%llu files may be open",
                   (unsigned long long)limit.rlim_cur);
    } else {
        doctor_say(d, DOCTOR_WARNING, "descriptors",
                   "%llu files may be open, and each connection takes one: raise the limit "
                   "(ulimit -n, or LimitNOFILE= of systemd)",
                   (unsigned long long)limit.rlim_cur);
    }

    machine_read("", &machine);
    machine_plan(&machine, (unsigned)d->settings.threads, &use);
    if (machine.memory > 0 && use.hashers * MACHINE_HASHER_BYTES > machine.memory / 2) {
        doctor_say(d, DOCTOR_WARNING, "threads",
                   "one password hash takes 19 MiB of the %llu MiB that may be used (%s): give the "
                   "server 64 MiB or more",
                   (unsigned long long)(machine.memory >> 20), machine.memory_by);
    } else {
        doctor_say(d, DOCTOR_OK, "threads", "event loops: %u, %s; password hashers: %u, %s",
                   use.loops, use.loops_why, use.hashers, use.hashers_why);
    }
}

static void check_time_zones(struct doctor *d)
{
    struct zones *zones = cli_zones_create(&d->settings);

    if (zones && zones_are_there(zones)) {
        doctor_say(d, DOCTOR_OK, "time-zones", "%s", zones_folder(zones));
    } else if (zones) {
        doctor_say(d, DOCTOR_WARNING, "time-zones",
                   "there are none in %s, so UTC is the only one that is known: install tzdata, or "
                   "set TZDIR to its folder",
                   zones_folder(zones));
    }
    zones_destroy(&zones);
}

/* What this user may do here; a service manager or a container may leave the server more or less.
 */
static void check_sandbox(struct doctor *d)
{
    const struct sandbox_limits limits = {.connect = true, .bind = true, .others = true};
    struct sandbox_files files;
    char why[256];
    const enum doctor_level level =
        strcmp(d->settings.sandbox, "require") == 0 ? DOCTOR_ERROR : DOCTOR_WARNING;

    if (strcmp(d->settings.sandbox, "off") == 0) {
        doctor_say(d, DOCTOR_WARNING, "sandbox", "SANDBOX is off: remove it, unless you debug");
        return;
    }
    if (!sandbox_files_begin(&files, &limits, why, sizeof why) ||
        !sandbox_calls_possible(why, sizeof why)) {
        sandbox_files_finish(&files);
        doctor_say(d, level, "sandbox", "%s", why);
        return;
    }
    sandbox_files_finish(&files);
    doctor_say(d, DOCTOR_OK, "sandbox", "files%s and system calls are closed after the start",
               files.abi >= SANDBOX_ABI_PORTS ? ", ports" : "");
}

static void check_address(struct doctor *d)
{
    uint16_t port = (uint16_t)d->settings.port;
    const char *host = d->settings.host;
    const char *why = "";
    char holder[128];
    struct listener listener;
    const int server = d->path ? file_holder(d->path) : 0;

    if (server > 0) {
        doctor_say(d, DOCTOR_OK, "address",
                   "a server has the database open, so it is listening already (pid %d)", server);
    } else if (server < 0) {
        doctor_say(d, DOCTOR_OK, "address",
                   "a server has the database open, so it is listening already");
    } else if (listener_bind(host, &port, &listener, 1, &why)) {
        listener_close(&listener);
        doctor_say(d, DOCTOR_OK, "address", "%s port %lld is free", host,
                   (long long)d->settings.port);
    } else if (d->shared) {
        doctor_say(d, DOCTOR_WARNING, "address",
                   "cannot listen on %s port %lld%s: %s; is that this node's own server?", host,
                   (long long)d->settings.port, holder_of_port(port, holder, sizeof holder), why);
    } else {
        doctor_say(d, DOCTOR_ERROR, "address",
                   "cannot listen on %s port %lld%s: %s; set another HOST or PORT, or stop the "
                   "process that has it",
                   host, (long long)d->settings.port, holder_of_port(port, holder, sizeof holder),
                   why);
    }
}

/* ---- all of it ---- */

static void check_file(struct doctor *d)
{
    char why[FINDING_MOST / 2] = "";

    errno = 0;
    d->path = file_find(d->settings.database_url, why, sizeof why);
    const bool absent = !d->path && (errno == ENOENT || errno == ENOTDIR);
    if (absent && file_holder(file_named(d->settings.database_url)) != 0) {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "%s: it was moved or removed under a running server, which accepts no more "
                   "writes: stop that server, put the file back and start the server again",
                   why);
    } else if (absent) {
        doctor_say(d, DOCTOR_WARNING, "database", "%s: taskhold serve makes it", why);
    } else if (!d->path) {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "this user may not look at %s (%s): run this as the server's user, or as root",
                   file_named(d->settings.database_url), strerror(errno));
    }
    doctor_sqlite(d);
}

static int finish_doctor(struct doctor *d)
{
    const unsigned errors = d->counts[DOCTOR_ERROR];
    const unsigned warnings = d->counts[DOCTOR_WARNING];

    if (d->as_json) {
        printf("{\"errors\":%u,\"warnings\":%u,\"checks\":[%.*s]}\n", errors, warnings,
               (int)d->json.len, d->json.data ? d->json.data : "");
    } else {
        printf("%u ok, %u warnings, %u errors\n", d->counts[DOCTOR_OK], warnings, errors);
    }
    database_close(&d->db);
    free(d->path);
    buffer_finish(&d->json);
    settings_finish(&d->settings);
    return errors > 0 ? CLI_FAILED : CLI_OK;
}

int cli_doctor(int argc, char **argv)
{
    struct doctor d = {.as_json = cli_take_flag(&argc, argv, "--json")};
    const int status = settings_read(&d.settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    buffer_init(&d.json, JSON_MOST);
    check_values(&d);
    if (settings_fault(&d.settings)) {
        return finish_doctor(&d); /* what to look at is not known */
    }
    check_exposure(&d);
    check_secret_files(&d);
    settings_set_up_log(&d.settings, false);
    d.shared = store_engine_for(d.settings.database_url)->shared; /* the settings know it */
    if (d.shared) {
        doctor_postgres(&d);
    } else {
        check_file(&d);
    }
    check_machine(&d);
    check_time_zones(&d);
    check_sandbox(&d);
    check_address(&d);
    return finish_doctor(&d);
}
