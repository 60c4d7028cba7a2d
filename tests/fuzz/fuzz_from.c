// SPDX-License-Identifier: MIT
/* Files of other services. The first byte chooses the format (its low three bits), and after how
 * many records and notes the reader is told to stop; the rest is the file. Whatever it is, what
 * comes out is within the contract, in order, and the same when it is read again. */
#include <stdlib.h>

#include "cli/from/from.h"
#include "cli/from/key_map.h"
#include "model/field.h"
#include "model/recurrence.h"

#define LEVELS_MOST 8
#define NOW         INT64_C(1796040000000) /* 2026-11-30 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* What has come: of each task its level, and of its list the number. */
struct seen {
    struct key_map lists;
    struct key_map tasks;
    struct key_map task_lists;
    struct key_digest all; /* of everything */
    unsigned calls;
    unsigned most; /* 0: no stop */
    bool stopped;
};

static void must_be_text(struct slice text, size_t most, bool lines)
{
    must(text.ptr && utf8_valid(text));
    const struct text_facts facts = text_look(text);
    must(facts.code_points <= most && !facts.other_control && (lines || !facts.line_control));
}

static bool go_on(struct seen *seen, struct slice text)
{
    const struct slice parts[] = {{(const char *)seen->all.bytes, KEY_DIGEST}, text};
    must(!seen->stopped);
    seen->all = key_digest_of(parts, 2);
    seen->calls++;
    seen->stopped = seen->calls == seen->most;
    return !seen->stopped;
}

static bool take_list(void *context, const struct from_list *list)
{
    struct seen *seen = context;
    const struct key_digest key = key_digest_of(&list->key, 1);

    must(list->key.len > 0 && list->line > 0 && !key_map_find(&seen->lists, &key));
    must_be_text(list->name, 128, false);
    must(!text_look(list->name).blank && (!list->color.ptr || list->color.len == 7));
    must(key_map_put(&seen->lists, &key, (uint32_t)seen->lists.count + 1));
    return go_on(seen, list->key);
}

static void must_be_when(const struct when *when)
{
    must(when->kind != WHEN_INSTANT || (when->ms >= WHEN_MS_LEAST && when->ms <= WHEN_MS_MOST));
    must(when->kind != WHEN_DATE || (civil_of_day(when->day).year >= CIVIL_YEAR_LEAST &&
                                     civil_of_day(when->day).year <= CIVIL_YEAR_MOST));
}

static void must_be_place(struct seen *seen, const struct from_task *task)
{
    const struct key_digest key = key_digest_of(&task->key, 1);
    const struct key_digest parent = key_digest_of(&task->parent, 1);
    const struct key_digest list = key_digest_of(&task->list, 1);
    uint32_t level = 1;
    uint32_t list_number = 0;

    must(task->key.len > 0 && task->line > 0 && !key_map_find(&seen->tasks, &key));
    if (task->list.ptr) {
        must(key_map_find(&seen->lists, &list));
        list_number = *key_map_find(&seen->lists, &list);
    }
    if (task->parent.ptr) {
        must(key_map_find(&seen->tasks, &parent));
        level = *key_map_find(&seen->tasks, &parent) + 1;
        must(*key_map_find(&seen->task_lists, &parent) == list_number);
    }
    must(level <= LEVELS_MOST);
    must(key_map_put(&seen->tasks, &key, level));
    must(key_map_put(&seen->task_lists, &key, list_number));
}

static bool take_task(void *context, const struct from_task *task)
{
    struct seen *seen = context;
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;

    must_be_place(seen, task);
    must_be_text(task->title, TASK_TITLE_MOST, false);
    must(!text_look(task->title).blank && task->status < TASK_STATUS_COUNT);
    must(task->priority <= FROM_PRIORITY_URGENT && task->label_count <= FROM_LABELS_MOST);
    if (task->description.ptr) {
        must_be_text(task->description, TASK_DESCRIPTION_MOST, true);
    }
    for (size_t i = 0; i < task->label_count; i++) {
        must_be_text(task->labels[i], 64, false);
        for (size_t other = 0; other < i; other++) {
            must(!slice_eq(task->labels[i], task->labels[other]));
        }
    }
    must_be_when(&task->start);
    must_be_when(&task->due);
    must(!task->recurrence.ptr ||
         (task->due.kind != WHEN_NONE &&
          recurrence_parse(task->recurrence, task->due.kind == WHEN_INSTANT, &rule, problem)));
    must(task->recurrence.ptr || !task->recurs_from_completion);
    must(task->completed_at == 0 || task->status == TASK_COMPLETED);
    return go_on(seen, task->key);
}

static bool take_note(void *context, size_t line, struct slice text)
{
    (void)line;
    must(text.len > 0);
    must_be_text(text, 400, false);
    return go_on(context, text);
}

static enum from_result read_once(enum from_format format, struct slice text, struct zones *zones,
                                  unsigned most, struct key_digest *all)
{
    struct seen seen = {.most = most};
    const struct from_options options = {zones, zone_utc(), NOW, SLICE("Home [7].csv")};
    const struct from_sink sink = {&seen, take_list, take_task, take_note};
    char why[FROM_WHY];

    const enum from_result result = from_read(format, text, &options, &sink, why);
    must((result == FROM_STOPPED) == seen.stopped && result != FROM_NO_MEMORY);
    must((result == FROM_REFUSED) == (why[0] != '\0') && utf8_valid(slice_of(why)));
    *all = seen.all;
    key_map_finish(&seen.lists);
    key_map_finish(&seen.tasks);
    key_map_finish(&seen.task_lists);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zones *zones;
    struct key_digest first = {{0}};
    struct key_digest second = {{0}};

    zones = zones ? zones : zones_create(NULL, 8, 1 << 20);
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = size > 0 ? malloc(size) : NULL;
    if (copy && zones) {
        memcpy(copy, data + 1, size - 1);
        const struct slice text = {copy, size - 1};
        const enum from_format format = (enum from_format)((data[0] & 7) % FROM_FORMAT_COUNT);
        const enum from_result result = read_once(format, text, zones, data[0] >> 3, &first);
        must(read_once(format, text, zones, data[0] >> 3, &second) == result);
        must(key_digest_eq(&first, &second));
    }
    free(copy);
    return 0;
}
