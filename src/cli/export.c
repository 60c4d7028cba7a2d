// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/import_from.h"
#include "store/sqlite/file.h"
#include "store/transfer/dump.h"
#include "store/transfer/output.h"

#define WHY_SIZE    5000
#define COUNTS_MOST 4096

/* Says what was written or read, in a sentence that begins with `done` or as JSON. */
static void print_counts(FILE *to, const char *done, const struct dump_counts *counts, bool json)
{
    struct buffer text;

    buffer_init(&text, COUNTS_MOST);
    dump_counts_add(&text, counts, json);
    if (json) {
        fprintf(to, "%.*s\n", (int)text.len, text.data);
    } else {
        fprintf(to, "%s %.*s\n", done, (int)text.len, text.data);
    }
    buffer_finish(&text);
}

/* It holds password hashes: a file has mode 0600, and is whole or not there. */
static int write_export(const char *url, struct slice email, const char *target, bool replace,
                        bool json)
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
        return complain(CLI_FAILED, "%s", *why ? why : strerror(errno));
    }
    if (strcmp(target, "-") != 0) {
        char wrote[WHY_SIZE];
        (void)snprintf(wrote, sizeof wrote, "wrote %s:", target);
        print_counts(json ? stdout : stderr, wrote, &counts, json);
    }
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
        status = complain(CLI_USAGE, "give one FILE to export to, or none for standard output");
    } else if (json && (rest_count == 0 || strcmp(rest[0], "-") == 0)) {
        status = complain(CLI_USAGE, "--json goes with a FILE: an export is JSON already");
    } else {
        status = write_export(settings.database_url, slice_of(user),
                              rest_count == 1 ? rest[0] : "-", force, json);
    }
    settings_finish(&settings);
    return status;
}

/* ---- import ---- */

static int read_import(const char *url, const char *name, bool json)
{
    const bool piped = strcmp(name, "-") == 0;
    char why[WHY_SIZE] = "";
    struct dump_counts counts = {0};

    if (piped) {
        name = "standard input";
    }
    if (file_refuse_own(url, name, piped ? STDIN_FILENO : -1, why, sizeof why)) {
        return complain(CLI_FAILED, "%s", why);
    }
    FILE *in = piped ? stdin : fopen(name, "re");
    if (!in) {
        return complain(CLI_FAILED, "%s: %s", name, strerror(errno));
    }
    const bool done = dump_import(url, in, name, &counts, why, sizeof why);
    if (!piped) {
        fclose(in);
    }
    if (!done) {
        return complain(CLI_FAILED, "%s", why);
    }
    print_counts(stdout, "imported", &counts, json);
    return CLI_OK;
}

int cli_import(int argc, char **argv)
{
    struct import_order order = {.json = cli_take_flag(&argc, argv, "--json")};
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;

    order.dry_run = cli_take_flag(&argc, argv, "--dry-run");
    if (!cli_take_value(&argc, argv, "--from", &order.from) ||
        !cli_take_value(&argc, argv, "--user", &order.user)) {
        return CLI_USAGE;
    }
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);
    if (status != CLI_OK) {
        return status;
    }
    order.settings = &settings;
    order.file = rest_count == 1 ? rest[0] : NULL;
    if (!order.file) {
        status = complain(CLI_USAGE, "give one FILE to import");
    } else if (order.from) {
        status = import_from(&order);
    } else if (order.user || order.dry_run) {
        status = complain(CLI_USAGE, "%s goes with --from FORMAT; see taskhold help import",
                          order.user ? "--user" : "--dry-run");
    } else {
        status = read_import(settings.database_url, order.file, order.json);
    }
    settings_finish(&settings);
    return status;
}
