#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/sqlite/dump.h"

#define WHY_SIZE 5000

static int run(const char *url, const char *name)
{
    char why[WHY_SIZE] = "DATABASE_URL must be sqlite:PATH for this command";
    struct dump_counts counts = {0};
    FILE *in = fopen(name, "re");
    bool done = false;

    if (!in) {
        fprintf(stderr, "taskhold: %s: %s\n", name, strerror(errno));
        return CLI_FAILED;
    }
    if (strncmp(url, "sqlite:", strlen("sqlite:")) == 0) {
        done = dump_import(url, in, name, &counts, why, sizeof why);
    }
    fclose(in);
    if (!done) {
        fprintf(stderr, "taskhold: %s\n", why);
        return CLI_FAILED;
    }
    printf("imported %lld users, %lld tasks, %lld tombstones\n", (long long)counts.rows[0],
           (long long)counts.rows[1], (long long)counts.rows[2]);
    return CLI_OK;
}

int cli_import(int argc, char **argv)
{
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);

    if (status != CLI_OK) {
        return status;
    }
    if (rest_count != 1) {
        fprintf(stderr, "taskhold: give one FILE to import\n");
        status = CLI_USAGE;
    } else {
        status = run(settings.database_url, rest[0]);
    }
    settings_finish(&settings);
    return status;
}
