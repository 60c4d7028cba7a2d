// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/sqlite/own.h"
#include "store/transfer/dump.h"

#define WHY_SIZE 5000

static int run(const char *url, const char *name, const void *options)
{
    char why[WHY_SIZE] = "";
    struct dump_counts counts = {0};
    const bool piped = strcmp(name, "-") == 0;
    FILE *in = NULL;

    const bool json = *(const bool *)options;
    if (piped) {
        name = "standard input";
    }
    if (piped ? own_refuse_open(url, STDIN_FILENO, name, why, sizeof why)
              : own_refuse(url, name, why, sizeof why)) {
        fprintf(stderr, "taskhold: %s\n", why);
        return CLI_FAILED;
    }
    in = piped ? stdin : fopen(name, "re");
    if (!in) {
        fprintf(stderr, "taskhold: %s: %s\n", name, strerror(errno));
        return CLI_FAILED;
    }
    const bool done = dump_import(url, in, name, &counts, why, sizeof why);
    if (!piped) {
        fclose(in);
    }
    if (!done) {
        fprintf(stderr, "taskhold: %s\n", why);
        return CLI_FAILED;
    }
    printf(json ? "{\"users\":%lld,\"tasks\":%lld,\"tombstones\":%lld}\n"
                : "imported %lld users, %lld tasks, %lld tombstones\n",
           (long long)counts.rows[0], (long long)counts.rows[1], (long long)counts.rows[2]);
    return CLI_OK;
}

int cli_import(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");

    return cli_with_file(argc, argv, "import", run, &json);
}
