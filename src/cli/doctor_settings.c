// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "cli/doctor.h"

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
        doctor_say(d, DOCTOR_OK, "settings",
                   "every value makes sense; taskhold config prints them");
    }
}

static void check_quotas(struct doctor *d)
{
    if (strcmp(d->settings.rate_limit, "off") == 0) {
        doctor_say(d, DOCTOR_WARNING, "quotas",
                   "RATE_LIMIT is off, so that passwords may be guessed without end: leave it out, "
                   "unless this is a load test");
    } else {
        doctor_say(d, DOCTOR_OK, "quotas", "on");
    }
}

/* Whether a list of networks has one that holds every address. */
static bool trusts_all(const char *networks)
{
    struct slice rest = slice_of(networks);

    while (rest.ptr) {
        const struct slice one = slice_trim(slice_next(&rest, ','));
        if (one.len > 2 && memcmp(one.ptr + one.len - 2, "/0", 2) == 0) {
            return true;
        }
    }
    return false;
}

static void check_proxies(struct doctor *d)
{
    const char *networks = d->settings.trusted_proxies;

    if (networks && trusts_all(networks)) {
        doctor_say(d, DOCTOR_WARNING, "proxies",
                   "TRUSTED_PROXIES is %s, so that everybody may write whatever address into a "
                   "header and has no quota: name the proxies' own addresses, unless nothing but "
                   "them reaches this port",
                   networks);
    } else if (networks) {
        doctor_say(d, DOCTOR_OK, "proxies", "%s", networks);
    } else {
        doctor_say(d, DOCTOR_OK, "proxies",
                   "none: the address of a client is that of its connection");
    }
}

/* A file with a secret in it. Its group may read it: that is how a service gets one of root's. */
static bool secret_file_is_good(struct doctor *d, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0 || (status.st_mode & S_IRWXO) == 0) {
        return true;
    }
    const bool written = (status.st_mode & S_IWOTH) != 0;
    doctor_say(d, written ? DOCTOR_ERROR : DOCTOR_WARNING, "secret-files",
               "%s holds a secret and has mode %03o, so that others may %s it: chmod o-rwx %s",
               path, (unsigned)status.st_mode & 0777, written ? "replace" : "read", path);
    return false;
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
        const enum setting_id id = secrets[i];
        const char *path = file_of(&d->settings, id);
        /* The path of a file is no secret. */
        const bool open =
            id == SETTING_database_url && strncmp(d->settings.database_url, "sqlite:", 7) == 0;
        bool seen = !path || open;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = before[j] && strcmp(before[j], path) == 0;
        }
        before[i] = seen ? NULL : path;
        any = any || !seen;
        good = (seen || secret_file_is_good(d, path)) && good;
    }
    if (any && good) {
        doctor_say(d, DOCTOR_OK, "secret-files", "others may not read the files with secrets");
    }
}

void doctor_settings(struct doctor *d)
{
    check_values(d);
    if (settings_fault(&d->settings)) {
        return;
    }
    check_quotas(d);
    check_proxies(d);
    check_secret_files(d);
}
