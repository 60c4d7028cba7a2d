// SPDX-License-Identifier: MIT
#include "cli/import_report.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_reader.h"
#include "cli/cli.h"

#define PAINT_MS   100
#define TITLE_MOST 60 /* bytes of one that a line repeats */
#define WHY_MOST   800

void import_report_begin(struct import_report *report)
{
    assert(report && report->lines == 0);
    fputs(report->json ? "{\"notes\":[\n" : "", stdout);
}

/* ---- how far it is ---- */

void import_report_progress(struct import_report *report, uint32_t done, uint32_t total)
{
    const int64_t now = clock_mono_ms();

    assert(done <= total);
    if (now - report->painted_ms >= PAINT_MS && isatty(STDERR_FILENO) == 1) {
        fprintf(stderr, "\r%u of %u tasks", done, total);
        report->painted = true;
        report->painted_ms = now;
    }
}

static void wipe_progress(struct import_report *report)
{
    if (report->painted) {
        fputs("\r\033[K", stderr);
        report->painted = false;
    }
}

/* ---- lines ---- */

static void print_line(struct import_report *report, size_t line, bool refused, struct slice text)
{
    wipe_progress(report);
    if (report->json) {
        struct cli_json json;
        struct json_writer *w = cli_json_begin(&json);
        jw_open_object(w);
        cli_json_number(w, "line", (int64_t)line);
        cli_json_bool(w, "refused", refused);
        jw_name(w, SLICE("text"));
        jw_text(w, text);
        jw_close_object(w);
        fputs(report->lines > 0 ? "," : "", stdout);
        (void)cli_json_print(&json, stdout);
    } else {
        printf("line %zu: %.*s\n", line, (int)text.len, text.ptr);
    }
    report->lines++;
    report->refused += refused;
}

void import_report_note(struct import_report *report, size_t line, struct slice text)
{
    assert(text.ptr);
    print_line(report, line, false, text);
}

/* Its name or title is the first member of its body. */
void import_report_refused(struct import_report *report, const struct import_entry *entry,
                           struct slice why)
{
    char unused[JSON_READER_WHY];
    char text[TITLE_MOST + WHY_MOST + 64];
    struct json_reader reader;
    struct json_member name = {0};
    const struct slice body = {entry->body, entry->body_len};

    assert(entry->state == IMPORT_REFUSED);
    if (json_reader_init(&reader, body, JSON_TOKENS, unused) == JSON_READ_OK) {
        (void)json_reader_next(&reader, &name);
    }
    const struct slice shown = utf8_cut(name.text, TITLE_MOST);
    const struct slice said = utf8_cut(why, WHY_MOST);
    (void)snprintf(text, sizeof text, "`%.*s%s` is refused: %.*s", (int)shown.len,
                   shown.ptr ? shown.ptr : "", shown.len < name.text.len ? "..." : "",
                   (int)said.len, said.ptr ? said.ptr : "");
    json_reader_finish(&reader);
    print_line(report, entry->line, true, slice_of(text));
}

/* ---- the end ---- */

static void count_states(const struct import_entries *entries, unsigned counts[IMPORT_STATES])
{
    memset(counts, 0, IMPORT_STATES * sizeof *counts);
    for (uint32_t i = 0; i < entries->count; i++) {
        counts[entries->all[i].state]++;
    }
}

static void write_counts(struct json_writer *w, struct slice name, const unsigned *counts)
{
    jw_name(w, name);
    jw_open_object(w);
    cli_json_number(w, "made", counts[IMPORT_MADE]);
    cli_json_number(w, "there", counts[IMPORT_THERE]);
    cli_json_number(w, "refused", counts[IMPORT_REFUSED]);
    cli_json_number(w, "not_tried", counts[IMPORT_WAITING]);
    jw_close_object(w);
}

/* The other members of the object that is open. */
static void print_json_end(bool dry_run, const unsigned *lists, const unsigned *tasks)
{
    struct cli_json json;
    struct json_writer *w = cli_json_begin(&json);

    jw_open_object(w);
    cli_json_bool(w, "dry_run", dry_run);
    write_counts(w, SLICE("lists"), lists);
    write_counts(w, SLICE("tasks"), tasks);
    jw_close_object(w);
    if (!json.text.failed) {
        printf("],%.*s\n", (int)(json.text.len - 1), json.text.data + 1);
    }
    buffer_finish(&json.text);
}

static void print_counts(const char *what, const unsigned *counts, bool dry_run)
{
    printf("%s: %u %s, %u there already, %u refused", what, counts[IMPORT_MADE],
           dry_run ? "would be made" : "made", counts[IMPORT_THERE], counts[IMPORT_REFUSED]);
    if (counts[IMPORT_WAITING] > 0) {
        printf(", %u not tried", counts[IMPORT_WAITING]);
    }
    putchar('\n');
}

void import_report_end(struct import_report *report, const struct import_plan *plan, bool read)
{
    unsigned lists[IMPORT_STATES];
    unsigned tasks[IMPORT_STATES];

    wipe_progress(report);
    count_states(&plan->lists, lists);
    count_states(&plan->tasks, tasks);
    if (report->json) {
        print_json_end(report->dry_run, lists, tasks);
    } else if (read) {
        print_counts("lists", lists, report->dry_run);
        print_counts("tasks", tasks, report->dry_run);
        printf("notes: %u\n%s", report->lines - report->refused,
               report->dry_run ? "a dry run: nothing was made\n" : "");
    }
}
