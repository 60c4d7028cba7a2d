// SPDX-License-Identifier: MIT
#include "cli/confine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/sandbox.h"
#include "model/zone.h"
#include "store/postgres/needs.h"

#define PORT_DNS 53
#define WHY_SIZE 256

/* What the C library, OpenSSL and Kerberos read when they find a host, a user or a certificate. */
static const char *const system_files[] = {
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/etc/krb5.conf",
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
};

static bool is_required(const struct settings *settings)
{
    return strcmp(settings->sandbox, "require") == 0;
}

/* Why there is no sandbox; NULL: there is to be one. */
static const char *reason_for_none(const struct settings *settings)
{
    if (strcmp(settings->sandbox, "off") == 0) {
        return "SANDBOX=off";
    }
#ifdef TASKHOLD_SANITIZED
    return "this build has sanitizers, which need more than a server does";
#else
    return NULL;
#endif
}

/* Logs a refusal and shows it in the metrics, or leaves it to the caller to end. */
static bool refused(const struct settings *settings, const char *reason, char *why, size_t why_size)
{
    if (is_required(settings)) {
        (void)snprintf(why, why_size, "SANDBOX=require: %s", reason);
        return false;
    }
    metrics_set(METRIC_HARDENING_REFUSED, 1);
    log_message(LOG_WARN, "hardening_refused", "%s", reason);
    return true;
}

/* ---- files and ports ---- */

static void allow_file(void *context, const char *path)
{
    sandbox_files_allow_around(context, path);
}

static void allow_port(void *context, uint16_t port)
{
    sandbox_files_allow_connect(context, port);
}

static void ignore_port(void *context, uint16_t port)
{
    (void)context;
    (void)port;
}

static void ignore_file(void *context, const char *path)
{
    (void)context;
    (void)path;
}

/* What SIGHUP reads again. */
static void allow_settings(struct sandbox_files *files, const struct settings *settings)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    sandbox_files_allow_around(files, ".env");
    if (settings->env_file) {
        sandbox_files_allow_around(files, settings->env_file);
    }
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        if (settings->files[id]) {
            sandbox_files_allow_around(files, settings->files[id]);
        }
    }
    if (credentials && *credentials) {
        sandbox_files_allow(files, credentials, SANDBOX_READ);
    }
}

static void allow_system(struct sandbox_files *files, const struct settings *settings)
{
    for (size_t i = 0; i < sizeof system_files / sizeof *system_files; i++) {
        sandbox_files_allow(files, system_files[i], SANDBOX_READ);
    }
    sandbox_files_allow_around(files, "/etc/resolv.conf");
    /* Files of /etc are replaced, and a rule holds for the old one. Whoever is not root reads there
     * what everybody may read. */
    if (geteuid() != 0) {
        sandbox_files_allow(files, "/etc", SANDBOX_READ);
    }
    sandbox_files_allow(files, settings->tzdir ? settings->tzdir : ZONE_FOLDER, SANDBOX_READ);
    sandbox_files_allow(files, "/proc/self", SANDBOX_LIST);
    sandbox_files_allow(files, "/dev/null", SANDBOX_READ);
    sandbox_files_allow(files, "/dev/urandom", SANDBOX_READ);
}

/* A folder as the database has it: absolute, links resolved. */
static void allow_database(struct sandbox_files *files, const char *file)
{
    char *folder = disk_folder_of(file);

    files->failed = files->failed || !folder;
    if (folder) {
        sandbox_files_allow(files, folder, SANDBOX_WRITE);
    }
    free(folder);
}

static bool begin_files(struct sandbox_files *files, const struct settings *settings,
                        const char *file, char *reason, size_t size)
{
    struct sandbox_limits limits = {.connect = true, .bind = true, .others = true};
    struct postgres_needs needs = {.file = ignore_file, .port = ignore_port};

    if (!file) {
        postgres_needs_tell(settings->database_url, &needs);
        limits.connect = needs.ports_known;
        limits.others = !needs.abstract;
    }
    if (!sandbox_files_begin(files, &limits, reason, size)) {
        return false;
    }
    if (file) {
        allow_database(files, file);
    } else {
        needs = (struct postgres_needs){.context = files,
                                        .file = allow_file,
                                        .port = limits.connect ? allow_port : ignore_port};
        postgres_needs_tell(settings->database_url, &needs);
        if (limits.connect) {
            sandbox_files_allow_connect(files, PORT_DNS);
        }
    }
    allow_settings(files, settings);
    allow_system(files, settings);
    return true;
}

bool confine_files(const struct settings *settings, const char *file, char *why, size_t why_size)
{
    assert(settings && settings->sandbox && why);
    const char *none = reason_for_none(settings);
    struct sandbox_files files = {.ruleset = -1};
    char reason[WHY_SIZE];

    if (none) {
        return !is_required(settings) || refused(settings, none, why, why_size);
    }
    const bool closed = begin_files(&files, settings, file, reason, sizeof reason) &&
                        sandbox_files_close(&files, reason, sizeof reason);
    sandbox_files_finish(&files);
    if (!closed && !refused(settings, reason, why, why_size)) {
        return false;
    }
    /* Before anybody is served, though it is done after that. */
    return !is_required(settings) || sandbox_calls_possible(reason, sizeof reason) ||
           refused(settings, reason, why, why_size);
}

/* ---- system calls ---- */

bool confine_calls(const struct settings *settings, const char *file, char *why, size_t why_size)
{
    assert(settings && settings->sandbox && why);
    const char *none = reason_for_none(settings);
    const struct sandbox_calls calls = {.sockets = file == NULL};
    char reason[WHY_SIZE];

    if (!none && !sandbox_calls_close(&calls, reason, sizeof reason)) {
        return refused(settings, reason, why, why_size);
    }
    /* Who reads along at a terminal is greeted with other things. */
    log_message(log_is_json() ? LOG_INFO : LOG_DEBUG, "sandbox", "%s%s", none ? "off: " : "on",
                none ? none : "");
    return true;
}
