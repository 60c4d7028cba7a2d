// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/transfer/dump.h"
#include "store/transfer/output.h"

#define WHY_SIZE 5000

static void print_done(const char *target, const struct dump_counts *counts, bool json)
{
    const long long users = counts->rows[0];
    const long long tasks = counts->rows[1];
    const long long tombstones = counts->rows[2];

    if (json) {
        printf("{\"users\":%lld,\"tasks\":%lld,\"tombstones\":%lld}\n", users, tasks, tombstones);
    } else if (strcmp(target, "-") != 0) {
        fprintf(stderr, "wrote %s: %lld users, %lld tasks, %lld tombstones\n", target, users, tasks,
                tombstones);
    }
}

/* It holds password hashes: a file has mode 0600, and is whole or not there. */
static int run(const char *url, struct slice email, const char *target, bool replace, bool json)
{
    char why[WHY_SIZE] = "";
    struct dump_counts counts = {0};
    struct output output;
    FILE *out = NULL;
    bool done = output_open(&output, target, url, replace, false, why, sizeof why);

    if (done) {
        const int fd = fcntl(output.fd, F_DUPFD_CLOEXEC, 0);
        out = fd >= 0 ? fdopen(fd, "w") : NULL;
        done = out && dump_export(url, email, out, &counts, why, sizeof why) &&
               output_publish(&output, why, sizeof why);
    }
    if (out) {
        fclose(out);
    }
    output_close(&output);
    if (!done) {
        fprintf(stderr, "taskhold: %s\n", *why ? why : strerror(errno));
        return CLI_FAILED;
    }
    print_done(target, &counts, json);
    return CLI_OK;
}

int cli_export(int argc, char **argv)
{
    const bool force = cli_take_flag(&argc, argv, "--force");
    const bool json = cli_take_flag(&argc, argv, "--json");
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
    } else if (json && (rest_count == 0 || strcmp(rest[0], "-") == 0)) {
        fprintf(stderr, "taskhold: --json goes with a FILE: an export is JSON already\n");
        status = CLI_USAGE;
    } else {
        status = run(settings.database_url, slice_of(user), rest_count == 1 ? rest[0] : "-", force,
                     json);
    }
    settings_finish(&settings);
    return status;
}
