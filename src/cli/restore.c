#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/sqlite/restore.h"

#define WHY_SIZE 5000

static int run(const char *url, const char *source, bool replace)
{
    char why[WHY_SIZE] = "DATABASE_URL must be sqlite:PATH for this command";
    const struct restore_options options = {.source = source, .url = url, .replace = replace};
    struct restore_report report = {0};

    if (strncmp(url, "sqlite:", strlen("sqlite:")) != 0 ||
        !restore_run(&options, &report, why, sizeof why)) {
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

int cli_restore(int argc, char **argv)
{
    const bool force = cli_take_flag(&argc, argv, "--force");
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);

    if (status != CLI_OK) {
        return status;
    }
    if (rest_count != 1) {
        fprintf(stderr, "taskhold: give one FILE to restore from\n");
        status = CLI_USAGE;
    } else {
        status = run(settings.database_url, rest[0], force);
    }
    settings_finish(&settings);
    return status;
}
