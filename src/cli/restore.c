// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/json_writer.h"
#include "cli/cli.h"
#include "store/sqlite/restore.h"
#include "store/store.h"

#define WHY_SIZE    5000
#define OUTPUT_MOST (64 * 1024)

static int name_tool(const char *source)
{
    fprintf(stderr,
            "taskhold: this puts a SQLite file back; for PostgreSQL run, into an empty database: "
            "pg_restore --single-transaction --no-owner --dbname=\"$DATABASE_URL\" %s && "
            "psql \"$DATABASE_URL\" -c 'UPDATE meta SET epoch = gen_random_uuid()'\n",
            source);
    return CLI_CONFIGURATION;
}

struct flags {
    bool force;
    bool json;
};

static void write_path(struct json_writer *w, struct slice name, const char *path)
{
    jw_name(w, name);
    if (path) {
        jw_text(w, slice_of(path));
    } else {
        jw_null(w);
    }
}

static void print_json(const char *source, const struct restore_report *report)
{
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, OUTPUT_MOST);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    write_path(&w, SLICE("file"), report->path);
    write_path(&w, SLICE("source"), source);
    write_path(&w, SLICE("kept"), report->kept);
    jw_close_object(&w);
    printf("%.*s\n", (int)out.len, out.data ? out.data : "");
    buffer_finish(&out);
}

static int put_back(const char *url, const char *source, const void *given)
{
    const struct flags *flags = given;
    char why[WHY_SIZE] = "";
    const struct restore_options options = {.source = source, .url = url, .replace = flags->force};
    struct restore_report report = {0};

    if (!restore_run(&options, &report, why, sizeof why)) {
        fprintf(stderr, "taskhold: %s\n", why);
        restore_report_finish(&report);
        return CLI_FAILED;
    }
    if (flags->json) {
        print_json(source, &report);
        restore_report_finish(&report);
        return CLI_OK;
    }
    printf("restored %s from %s\n", report.path ? report.path : "the database", source);
    if (report.kept) {
        printf("the database that was there is now %s\n", report.kept);
    }
    printf("the secret is not part of a backup: with the JWT_SECRET (or .jwt-secret file) of then, "
           "everybody stays logged in; with another, everybody logs in again\n");
    restore_report_finish(&report);
    return CLI_OK;
}

static int run(const char *url, const char *source, const void *flags)
{
    return store_engine_for(url)->shared ? name_tool(source) : put_back(url, source, flags);
}

int cli_restore(int argc, char **argv)
{
    struct flags flags = {0};

    flags.force = cli_take_flag(&argc, argv, "--force");
    flags.json = cli_take_flag(&argc, argv, "--json");
    return cli_with_file(argc, argv, "restore from", run, &flags);
}
