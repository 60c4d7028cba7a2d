#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/sqlite/file.h"
#include "store/transfer/dump.h"

#define WHY_SIZE 5000

static int complain(const char *what, const char *detail)
{
    fprintf(stderr, "taskhold: %s%s%s\n", what, *detail ? ": " : "", detail);
    return CLI_FAILED;
}

/* It holds password hashes: mode 0600, and whole or not there. */
static int to_file(const char *source, struct slice email, const char *target, bool replace)
{
    char why[WHY_SIZE] = "";
    struct dump_counts counts = {0};
    char *partial = NULL;
    FILE *out = NULL;
    int status = CLI_FAILED;

    if (!replace && access(target, F_OK) == 0) {
        return complain(target, "it exists; --force replaces it");
    }
    if (asprintf(&partial, "%s.partial-XXXXXX", target) < 0) {
        return complain(target, "out of memory");
    }
    const int fd = mkostemp(partial, O_CLOEXEC);
    out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!out) {
        status = complain(target, strerror(errno));
        goto out;
    }
    if (!dump_export(source, email, out, &counts, why, sizeof why)) {
        status = complain(why, "");
    } else if (!file_flush(partial) || !file_move(partial, target, replace)) {
        status = complain(target, strerror(errno));
    } else {
        status = CLI_OK;
        fprintf(stderr, "wrote %s: %lld users, %lld tasks, %lld tombstones\n", target,
                (long long)counts.rows[0], (long long)counts.rows[1], (long long)counts.rows[2]);
    }
out:
    if (out) {
        fclose(out);
    }
    if (status != CLI_OK && fd >= 0) {
        unlink(partial);
    }
    free(partial);
    return status;
}

static int to_output(const char *source, struct slice email)
{
    char why[WHY_SIZE] = "";
    struct dump_counts counts = {0};

    return dump_export(source, email, stdout, &counts, why, sizeof why) ? CLI_OK
                                                                        : complain(why, "");
}

int cli_export(int argc, char **argv)
{
    const bool force = cli_take_flag(&argc, argv, "--force");
    const char *user = NULL;
    const bool good = cli_take_value(&argc, argv, "--user", &user);
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;

    if (!good) {
        return CLI_USAGE;
    }
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);
    if (status != CLI_OK) {
        return status;
    }
    if (rest_count > 1) {
        fprintf(stderr, "taskhold: give one FILE to export to, or none for standard output\n");
        status = CLI_USAGE;
    } else if (rest_count == 1) {
        status = to_file(settings.database_url, slice_of(user), rest[0], force);
    } else {
        status = to_output(settings.database_url, slice_of(user));
    }
    settings_finish(&settings);
    return status;
}
