// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "cli/from/from.h"

/* For tests/model/test_from.py. usage: print_from FORMAT FILE ZONE NOW [NAME]; prints what the
 * reader of that format makes of the file: a line for each list, task and note, in the order in
 * which they come, with the members that say anything; then how it ended. NOW is an instant. */

static void print_text(const char *name, struct slice text)
{
    if (!text.ptr) {
        return;
    }
    printf(" %s=\"", name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            fputs("\\n", stdout);
        } else if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
            printf("\\%c", text.ptr[i]);
        } else {
            putchar(text.ptr[i]);
        }
    }
    putchar('"');
}

static void print_when(const char *name, const struct when *when)
{
    char room[WHEN_TEXT_MOST];
    if (when->kind != WHEN_NONE) {
        const struct slice text = when_write(when, room);
        printf(" %s=%.*s", name, (int)text.len, text.ptr);
    }
}

static bool print_list(void *context, const struct from_list *list)
{
    (void)context;
    printf("list %zu", list->line);
    print_text("key", list->key);
    print_text("name", list->name);
    print_text("color", list->color);
    puts(list->archived ? " archived" : "");
    return true;
}

static bool print_task(void *context, const struct from_task *task)
{
    static const char *const priorities[] = {"", " low", " medium", " high", " urgent"};
    static const char *const statuses[] = {"", " in-progress", " completed"};
    const struct when completed = {.kind = WHEN_INSTANT, .ms = task->completed_at};

    (void)context;
    printf("task %zu", task->line);
    print_text("key", task->key);
    print_text("parent", task->parent);
    print_text("list", task->list);
    print_text("title", task->title);
    print_text("description", task->description);
    printf("%s%s", statuses[task->status], priorities[task->priority]);
    print_when("start", &task->start);
    print_when("due", &task->due);
    print_text("zone", task->time_zone);
    print_text("recurrence", task->recurrence);
    fputs(task->recurs_from_completion ? " from-completion" : "", stdout);
    for (size_t i = 0; i < task->label_count; i++) {
        print_text("label", task->labels[i]);
    }
    if (task->completed_at) {
        print_when("completed", &completed);
    }
    printf(" order=%lld\n", (long long)task->order);
    return true;
}

static bool print_note(void *context, size_t line, struct slice text)
{
    (void)context;
    printf("note %zu: %.*s\n", line, (int)text.len, text.ptr);
    return true;
}

int main(int argc, char **argv)
{
    static const char *const results[] = {"read", "refused", "stopped", "no memory"};
    const struct from_sink sink = {NULL, print_list, print_task, print_note};
    struct from_options options = {0};
    enum from_format format = FROM_CSV;
    struct slice text = {0};
    struct when now = {0};
    char why[FROM_WHY] = "";

    if (argc < 5 || !from_format_of(slice_of(argv[1]), &format) ||
        !when_read(slice_of(argv[4]), &now)) {
        return 2;
    }
    const char *slash = strrchr(argv[2], '/');
    options.zones = zones_create(NULL, 8, 1 << 20);
    options.now = now.ms;
    options.name = slice_of(argc > 5 ? argv[5] : slash ? slash + 1 : argv[2]);
    if (!options.zones ||
        zones_find(options.zones, slice_of(argv[3]), &options.zone) != ZONE_FOUND) {
        return 2;
    }
    enum from_result result = from_open(argv[2], &text, why);
    if (result == FROM_READ) {
        result = from_read(format, text, &options, &sink, why);
    }
    printf("%s%s%s\n", results[result], *why ? ": " : "", why);
    from_close(&text);
    zone_release(&options.zone);
    zones_destroy(&options.zones);
    return fflush(stdout) == 0 ? 0 : 1;
}
