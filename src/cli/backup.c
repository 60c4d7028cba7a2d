// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "cli/cli.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/file.h"
#include "store/sqlite/last_backup.h"
#include "store/store.h"

#define OUTPUT_MOST (64 * 1024)
#define WHY_SIZE    5000

/* The copy gives way to a server that needs the processor. */
#define NICENESS 19

struct flags {
    bool json;
    bool force;
};

static bool line_is_open; /* of the progress */

static void show_progress(int64_t copied, int64_t pages)
{
    if (isatty(STDERR_FILENO) && pages > 0) {
        fprintf(stderr, "\rcopied %3lld %%%s", (long long)(copied * 100 / pages),
                copied == pages ? "; checking\n" : "");
        line_is_open = copied != pages;
    }
}

static int print_json(FILE *to, const char *target, const struct backup_report *report)
{
    struct buffer out;
    struct json_writer w;
    int status = CLI_FAILED;

    buffer_init(&out, OUTPUT_MOST);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    jw_name(&w, SLICE("file"));
    jw_text(&w, slice_of(target));
    jw_name(&w, SLICE("bytes"));
    jw_i64(&w, report->bytes);
    jw_name(&w, SLICE("schema"));
    jw_i64(&w, report->schema);
    jw_name(&w, SLICE("tables"));
    jw_open_array(&w);
    for (size_t i = 0; i < report->tables.count; i++) {
        const struct inspect_table *table = &report->tables.list[i];
        jw_open_object(&w);
        jw_name(&w, SLICE("name"));
        jw_text(&w, slice_of(table->name));
        jw_name(&w, SLICE("rows"));
        jw_i64(&w, table->rows);
        jw_name(&w, SLICE("digest"));
        jw_text(&w, slice_of(table->digest));
        jw_close_object(&w);
    }
    jw_close_array(&w);
    jw_close_object(&w);
    buffer_add_char(&out, '\n');
    if (!out.failed && fwrite(out.data, 1, out.len, to) == out.len) {
        status = CLI_OK;
    }
    buffer_finish(&out);
    return status;
}

static int print_text(FILE *to, const char *target, const struct backup_report *report)
{
    fprintf(to, "wrote %s: %lld bytes, schema %lld\n", target, (long long)report->bytes,
            (long long)report->schema);
    for (size_t i = 0; i < report->tables.count; i++) {
        const struct inspect_table *table = &report->tables.list[i];
        fprintf(to, "  %-18s %10lld rows  %s\n", table->name, (long long)table->rows,
                table->digest);
    }
    fprintf(to,
            "checked: whole, and the same as the database at the moment it was read\n"
            "not in it: the secret (JWT_SECRET, or the .jwt-secret file); keep that elsewhere\n");
    return CLI_OK;
}

/* A server's own tools know better what is consistent there. */
static int name_tool(const char *target)
{
    const bool piped = strcmp(target, "-") == 0;

    fprintf(stderr,
            "taskhold: this copies a SQLite file; for PostgreSQL run: pg_dump --format=custom "
            "%s%s%s--dbname=\"$DATABASE_URL\" (or pg_basebackup, for the whole server)\n",
            piped ? "" : "--file=", piped ? "" : target, piped ? "" : " ");
    return CLI_CONFIGURATION;
}

/* The copy is good, whether or not this can be written. */
static void note(const char *source, const struct backup_report *report)
{
    char why[WHY_SIZE];

    if (!last_backup_note(source, report->read_ms, why, sizeof why)) {
        fprintf(stderr,
                "taskhold: warning: %s; the copy is good, but the server will not know of it "
                "(taskhold_last_backup_timestamp_seconds)\n",
                why);
    }
}

static int copy(const char *url, const char *target, const void *given)
{
    const struct flags *flags = given;
    struct backup_report *report = calloc(1, sizeof *report);
    char why[WHY_SIZE] = "out of memory";
    /* With `-` the copy itself is what stands on standard output. */
    const bool piped = strcmp(target, "-") == 0;
    FILE *to = piped ? stderr : stdout;
    const char *name = piped ? "standard output" : target;
    struct backup_options options = {.url = url,
                                     .target = target,
                                     .replace = flags->force,
                                     .progress = show_progress,
                                     .stop = cli_interrupt_watch(0)};
    char *source = report ? file_find(url, why, sizeof why) : NULL;
    int status = CLI_FAILED;

    if (piped && isatty(STDOUT_FILENO)) {
        (void)snprintf(why, sizeof why,
                       "standard output is a terminal, which cannot show a database: send it on, "
                       "as in taskhold backup - | ssh HOST 'cat > taskhold.db', or name a FILE");
        free(source);
        source = NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* whoever read the copy has gone: that is an error of its write */
    (void)!nice(NICENESS);
    options.source = source;
    if (source && backup_create(&options, report, why, sizeof why)) {
        note(source, report);
        status = flags->json ? print_json(to, name, report) : print_text(to, name, report);
    } else {
        fprintf(stderr, "%staskhold: %s\n", line_is_open ? "\n" : "", why);
    }
    free(source);
    free(report);
    return status;
}

static int run(const char *url, const char *target, const void *given)
{
    return store_engine_for(url)->shared ? name_tool(target) : copy(url, target, given);
}

int cli_backup(int argc, char **argv)
{
    struct flags flags = {0};

    flags.json = cli_take_flag(&argc, argv, "--json");
    flags.force = cli_take_flag(&argc, argv, "--force");
    return cli_with_file(argc, argv, "back up to", run, &flags);
}
