// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/file.h"
#include "store/sqlite/restore.h"
#include "store/store.h"

#define WHY_SIZE 5000

/* The copy gives way to a server that needs the processor. */
#define NICENESS 19

struct flags {
    bool json;
    bool force;
};

static struct flags take_flags(int *argc, char **argv)
{
    return (struct flags){.json = cli_take_flag(argc, argv, "--json"),
                          .force = cli_take_flag(argc, argv, "--force")};
}

/* ---- backup ---- */

static bool line_is_open; /* of the progress */

static void show_backup_progress(int64_t copied, int64_t pages)
{
    if (isatty(STDERR_FILENO) && pages > 0) {
        fprintf(stderr, "\rcopied %3lld %%%s", (long long)(copied * 100 / pages),
                copied == pages ? "; checking\n" : "");
        line_is_open = copied != pages;
    }
}

static int print_backup(FILE *to, const char *target, const struct backup_report *report,
                        bool as_json)
{
    if (!as_json) {
        fprintf(to, "wrote %s: %lld bytes, schema %lld\n", target, (long long)report->bytes,
                (long long)report->schema);
        for (size_t i = 0; i < report->tables.count; i++) {
            const struct inspect_table *table = &report->tables.list[i];
            fprintf(to, "  %-18s %10lld rows  %s\n", table->name, (long long)table->sum.rows,
                    table->sum.text);
        }
        fprintf(to, "checked: whole, and the same as the database at the moment it was read\n"
                    "not in it: the secret (JWT_SECRET, or the .jwt-secret file); keep that "
                    "elsewhere\n");
        return CLI_OK;
    }
    struct cli_json json;
    struct json_writer *w = cli_json_begin(&json);

    jw_open_object(w);
    cli_json_text(w, "file", target);
    cli_json_number(w, "bytes", report->bytes);
    cli_json_number(w, "schema", report->schema);
    jw_name(w, SLICE("tables"));
    jw_open_array(w);
    for (size_t i = 0; i < report->tables.count; i++) {
        const struct inspect_table *table = &report->tables.list[i];
        jw_open_object(w);
        cli_json_text(w, "name", table->name);
        cli_json_number(w, "rows", table->sum.rows);
        cli_json_text(w, "digest", table->sum.text);
        jw_close_object(w);
    }
    jw_close_array(w);
    jw_close_object(w);
    return cli_json_print(&json, to);
}

static int run_backup(const char *url, const char *target, const void *given)
{
    const struct flags *flags = given;
    /* With `-` the copy itself is what stands on standard output. */
    const bool piped = strcmp(target, "-") == 0;

    /* A server's own tools know better what is consistent there. */
    if (store_engine_for(url)->shared) {
        return complain(CLI_CONFIGURATION,
                        "this copies a SQLite file; for PostgreSQL run: pg_dump --format=custom "
                        "%s%s%s--dbname=\"$DATABASE_URL\" (or pg_basebackup, for the whole server)",
                        piped ? "" : "--file=", piped ? "" : target, piped ? "" : " ");
    }
    struct backup_report *report = calloc(1, sizeof *report);
    char why[WHY_SIZE] = "out of memory";
    FILE *to = piped ? stderr : stdout;
    const char *name = piped ? "standard output" : target;
    struct backup_options options = {.url = url,
                                     .target = target,
                                     .replace = flags->force,
                                     .progress = show_backup_progress,
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
        if (!backup_note_time(source, report->read_ms, why, sizeof why)) {
            (void)complain(CLI_OK,
                           "warning: %s; the copy is good, but the server will not know of it "
                           "(taskhold_last_backup_timestamp_seconds)",
                           why);
        }
        status = print_backup(to, name, report, flags->json);
    } else {
        fputs(line_is_open ? "\n" : "", stderr);
        status = complain(CLI_FAILED, "%s", why);
    }
    free(source);
    free(report);
    return status;
}

int cli_backup(int argc, char **argv)
{
    const struct flags flags = take_flags(&argc, argv);

    return cli_with_file(argc, argv, "back up to", run_backup, &flags);
}

/* ---- restore ---- */

static int run_restore(const char *url, const char *source, const void *given)
{
    const struct flags *flags = given;
    char why[WHY_SIZE] = "";
    const struct restore_options options = {.source = source, .url = url, .replace = flags->force};
    struct restore_report report = {0};
    int status = CLI_OK;

    if (store_engine_for(url)->shared) {
        return complain(
            CLI_CONFIGURATION,
            "this puts a SQLite file back; for PostgreSQL run, into an empty database: pg_restore "
            "--single-transaction --no-owner --dbname=\"$DATABASE_URL\" %s && taskhold migrate "
            "--new-epoch",
            source);
    }
    if (!restore_run(&options, &report, why, sizeof why)) {
        status = complain(CLI_FAILED, "%s", why);
    } else if (flags->json) {
        struct cli_json json;
        struct json_writer *w = cli_json_begin(&json);
        jw_open_object(w);
        cli_json_text(w, "file", report.path);
        cli_json_text(w, "source", source);
        cli_json_text(w, "kept", report.kept);
        jw_close_object(w);
        status = cli_json_print(&json, stdout);
    } else {
        printf("restored %s from %s\n", report.path ? report.path : "the database", source);
        if (report.kept) {
            printf("the database that was there is now %s\n", report.kept);
        }
        printf("the secret is not part of a backup: with the JWT_SECRET (or .jwt-secret "
               "file) of that time everybody stays logged in; with another everybody has to log "
               "in again\n");
    }
    restore_report_finish(&report);
    return status;
}

int cli_restore(int argc, char **argv)
{
    const struct flags flags = take_flags(&argc, argv);

    return cli_with_file(argc, argv, "restore from", run_restore, &flags);
}
