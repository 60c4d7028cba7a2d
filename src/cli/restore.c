#include <stdio.h>

#include "cli/cli.h"
#include "store/sqlite/restore.h"
#include "store/store.h"

#define WHY_SIZE 5000

static int name_tool(const char *source)
{
    fprintf(stderr,
            "taskhold: this puts a SQLite file back; for PostgreSQL run, into an empty database: "
            "pg_restore --single-transaction --no-owner --dbname=\"$DATABASE_URL\" %s\n",
            source);
    return CLI_CONFIGURATION;
}

static int put_back(const char *url, const char *source, const void *replace)
{
    char why[WHY_SIZE] = "";
    const struct restore_options options = {
        .source = source, .url = url, .replace = *(const bool *)replace};
    struct restore_report report = {0};

    if (!restore_run(&options, &report, why, sizeof why)) {
        fprintf(stderr, "taskhold: %s\n", why);
        restore_report_finish(&report);
        return CLI_FAILED;
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

static int run(const char *url, const char *source, const void *replace)
{
    return store_engine_for(url)->shared ? name_tool(source) : put_back(url, source, replace);
}

int cli_restore(int argc, char **argv)
{
    const bool replace = cli_take_flag(&argc, argv, "--force");

    return cli_with_file(argc, argv, "restore from", run, &replace);
}
