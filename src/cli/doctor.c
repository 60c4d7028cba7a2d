// SPDX-License-Identifier: MIT
#include "cli/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "cli/cli.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/store.h"

#define JSON_MOST    (256 * 1024)
#define FINDING_MOST 8192

static const char *const level_names[] = {"ok", "warning", "error"};

static void add_member(struct json_writer *w, struct slice name, const char *text)
{
    jw_name(w, name);
    jw_text(w, slice_of(text));
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *check, const char *format,
                ...)
{
    char text[FINDING_MOST];
    va_list arguments;

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
        add_member(&w, SLICE("level"), level_names[level]);
        add_member(&w, SLICE("check"), check);
        add_member(&w, SLICE("finding"), text);
        jw_close_object(&w);
    } else {
        printf("%-8s %-12s %s\n", level_names[level], check, text);
    }
}

static void check_file(struct doctor *d)
{
    char why[FINDING_MOST / 2] = "";

    errno = 0;
    d->path = file_find(d->settings.database_url, why, sizeof why);
    const bool absent = !d->path && (errno == ENOENT || errno == ENOTDIR);
    if (absent && file_holder(file_named(d->settings.database_url)) != 0) {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "%s: it was moved or removed under a running server, which takes no writes any "
                   "more: stop that server, put the file back, start it again",
                   why);
    } else if (absent) {
        doctor_say(d, DOCTOR_WARNING, "database", "%s: taskhold serve makes it", why);
    } else if (!d->path) {
        doctor_say(
            d, DOCTOR_ERROR, "database",
            "this user may not look at %s (%s): run this as the user that serves, or as root",
            file_named(d->settings.database_url), strerror(errno));
    }
    doctor_files(d); /* first: SQLite corrects the mode of an empty WAL as it opens it */
    doctor_database(d);
}

static int finish(struct doctor *d)
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
    doctor_settings(&d);
    if (settings_fault(&d.settings)) {
        return finish(&d); /* what to look at is not known */
    }
    settings_set_up_log(&d.settings);
    d.shared = store_engine_for(d.settings.database_url)->shared; /* the settings know it */
    if (d.shared) {
        doctor_postgres(&d);
    } else {
        check_file(&d);
    }
    doctor_system(&d);
    return finish(&d);
}
