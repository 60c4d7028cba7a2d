// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "cli/cli.h"
#include "store/store.h"
#include "store/transfer/move.h"

#define WHY_SIZE  5000
#define BAR_CELLS 30
#define PAINT_MS  100

/* ---- while it runs ---- */

/* The bar on a terminal. */
struct bar {
    bool shown;
    bool colored;
    const char *doing; /* of the line that is painted */
    const volatile sig_atomic_t *interrupted;
    int64_t painted_ms;
};

static bool move_goes_on(void *context, const struct move_progress *progress)
{
    static const char full[] = "##############################";
    static const char empty[] = "..............................";
    struct bar *bar = context;
    const int64_t now = clock_mono_ms();
    const bool news = bar->doing != progress->doing;

    if (bar->shown &&
        (news || now - bar->painted_ms >= PAINT_MS || progress->rows == progress->total)) {
        /* A table may have grown after the count of an unlucky reader. */
        const int64_t total = progress->total > progress->rows ? progress->total : progress->rows;
        const int cells = total > 0 ? (int)(progress->rows * BAR_CELLS / total) : BAR_CELLS;
        if (bar->doing && news) {
            fputc('\n', stderr);
        }
        fprintf(stderr, "\r%-9s [%s%.*s%s%.*s] %3lld %%  %lld of %lld rows", progress->doing,
                bar->colored ? "\033[32m" : "", cells, full, bar->colored ? "\033[0m" : "",
                BAR_CELLS - cells, empty,
                (long long)(total > 0 ? progress->rows * 100 / total : 100),
                (long long)progress->rows, (long long)total);
        bar->doing = progress->doing;
        bar->painted_ms = now;
    }
    return !*bar->interrupted;
}

/* ---- what was found ---- */

static void write_side(struct json_writer *w, struct slice name, const struct digest_sum *side)
{
    jw_name(w, name);
    jw_open_object(w);
    cli_json_number(w, "rows", side->rows);
    cli_json_text(w, "digest", side->text);
    jw_close_object(w);
}

static int print_move_json(const struct move_report *report)
{
    struct cli_json json;
    struct json_writer *w = cli_json_begin(&json);

    jw_open_object(w);
    cli_json_bool(w, "moved", report->copied);
    cli_json_bool(w, "same", report->same);
    jw_name(w, SLICE("tables"));
    jw_open_array(w);
    for (const struct table *table = NULL; (table = table_next(table));) {
        const struct digest_sum *from = &report->from[table - tables];
        const struct digest_sum *to = &report->to[table - tables];

        jw_open_object(w);
        cli_json_text(w, "name", table->name);
        cli_json_bool(w, "same", digest_sum_eq(from, to));
        write_side(w, SLICE("from"), from);
        write_side(w, SLICE("to"), to);
        jw_close_object(w);
    }
    jw_close_array(w);
    jw_close_object(w);
    return cli_json_print(&json, stdout);
}

static void print_move_text(const struct move_report *report)
{
    for (const struct table *table = NULL; (table = table_next(table));) {
        const struct digest_sum *from = &report->from[table - tables];
        const struct digest_sum *to = &report->to[table - tables];
        const bool same = digest_sum_eq(from, to);
        printf("  %-18s %10lld rows  %s  %s\n", table->name, (long long)from->rows, from->text,
               same ? "the same on both sides" : "DIFFERS:");
        if (!same) {
            printf("  %-18s %10lld rows  %s  in the target\n", "", (long long)to->rows, to->text);
        }
    }
}

/* What stays behind. */
static void print_secret(const struct settings *settings, const struct move_options *options)
{
    const struct store_engine *engine = store_engine_for(options->from);
    const char *file = engine ? engine->url_file(options->from) : NULL;
    char *name = NULL;

    if (file && asprintf(&name, "%s" BESIDE_SECRET, file) < 0) {
        name = NULL;
    }
    fputs("not moved: the secret that signs tokens. Nobody is logged out as long as it stays the "
          "same:\n",
          stdout);
    if (!settings->jwt_secret && name && access(name, F_OK) == 0) {
        printf("it is in %s: give every server JWT_SECRET_FILE with a copy of that file\n", name);
    } else {
        fputs("give the servers the JWT_SECRET that they had before\n", stdout);
    }
    free(name);
}

/* ---- the command ---- */

static int move_databases(const struct settings *settings, struct move_options *options, bool json)
{
    static struct move_report report;
    const char *no_color = getenv("NO_COLOR");
    struct bar bar = {.shown = isatty(STDERR_FILENO) == 1,
                      .colored = !no_color || *no_color == '\0',
                      /* Twice: it ends at once, which is as safe. */
                      .interrupted = cli_interrupt_watch((int)SA_RESETHAND)};
    char why[WHY_SIZE] = "";
    int status = CLI_OK;

    options->progress = move_goes_on;
    options->context = &bar;
    const bool done = move_run(options, &report, why, sizeof why);
    if (bar.doing) {
        fputc('\n', stderr);
    }
    if (report.compared && json) {
        status = print_move_json(&report);
    } else if (report.compared) {
        print_move_text(&report);
    }
    if (!done) {
        (void)fflush(stdout);
        return complain(CLI_FAILED, "%s", why);
    }
    if (!json) {
        puts(report.copied      ? "moved, and compared row for row"
             : options->compare ? "compared row for row; nothing was moved"
                                : "it was moved before; compared row for row");
    }
    if (!json && !options->compare) {
        print_secret(settings, options);
    }
    return status;
}

int cli_move(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    struct move_options options = {.compare = cli_take_flag(&argc, argv, "--compare")};
    struct settings settings = {0};

    if (!cli_take_value(&argc, argv, "--from", &options.from) ||
        !cli_take_value(&argc, argv, "--to", &options.to)) {
        return CLI_USAGE;
    }
    int status = settings_load(&settings, argc, argv, NULL, NULL);
    if (status != CLI_OK) {
        return status;
    }
    if (!options.from || !options.to || strcmp(options.from, options.to) == 0) {
        status =
            complain(CLI_USAGE, "name two databases: --from sqlite:PATH --to postgres://..., or "
                                "the other way round");
    } else {
        status = move_databases(&settings, &options, json);
    }
    settings_finish(&settings);
    return status;
}
