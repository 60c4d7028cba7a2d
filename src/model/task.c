// SPDX-License-Identifier: MIT
#include "model/task.h"

#include "base/fold.h"
#include "model/position.h"
#include "model/recurrence.h"
#include "model/task_rules.h"
#include "model/zone.h"

static const struct slice status_names[TASK_STATUS_COUNT] = {
    [TASK_PENDING] = FIELD_NAME("pending"),
    [TASK_IN_PROGRESS] = FIELD_NAME("in-progress"),
    [TASK_COMPLETED] = FIELD_NAME("completed"),
};

static const struct slice priority_names[TASK_PRIORITY_COUNT] = {
    [TASK_PRIORITY_NONE] = FIELD_NAME("none"),     [TASK_PRIORITY_LOW] = FIELD_NAME("low"),
    [TASK_PRIORITY_MEDIUM] = FIELD_NAME("medium"), [TASK_PRIORITY_HIGH] = FIELD_NAME("high"),
    [TASK_PRIORITY_URGENT] = FIELD_NAME("urgent"),
};

static const struct slice anchor_names[TASK_ANCHOR_COUNT] = {
    [TASK_ANCHOR_DUE] = FIELD_NAME("due"),
    [TASK_ANCHOR_COMPLETION] = FIELD_NAME("completion"),
};

/* FIELD_CHOICE reads and writes an unsigned. */
static_assert(sizeof(enum task_status) == sizeof(unsigned), "an enum is as wide as unsigned");
static_assert(sizeof(enum task_priority) == sizeof(unsigned), "an enum is as wide as unsigned");
static_assert(sizeof(enum task_anchor) == sizeof(unsigned), "an enum is as wide as unsigned");

enum {
    ID,
    TITLE,
    DESCRIPTION,
    STATUS,
    PRIORITY,
    LIST_ID,
    PARENT_ID,
    POSITION,
    LABELS,
    START,
    DUE,
    TIME_ZONE,
    RECURRENCE,
    RECURRENCE_ANCHOR,
    BLOCKED_BY,
    METADATA,
    COMPLETED_AT,
    SERIES_ID,
    NEXT_ID,
    CREATED_AT,
    UPDATED_AT,
    REVISION,
    COUNT
};

static const struct field fields[COUNT] = {
    [ID] = {.name = FIELD_NAME("id"),
            .type = FIELD_UUID,
            .flags = FIELD_READ_ONLY | FIELD_FIXED,
            .at = offsetof(struct task, id)},
    [TITLE] = {.name = FIELD_NAME("title"),
               .type = FIELD_TEXT,
               .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK | FIELD_SORTABLE,
               .most = TASK_TITLE_MOST,
               .at = offsetof(struct task, title),
               .bit = 1U << TITLE},
    [DESCRIPTION] = {.name = FIELD_NAME("description"),
                     .type = FIELD_TEXT,
                     .flags = FIELD_NULLABLE | FIELD_MULTILINE,
                     .most = TASK_DESCRIPTION_MOST,
                     .at = offsetof(struct task, description),
                     .bit = 1U << DESCRIPTION},
    [STATUS] = {.name = FIELD_NAME("status"),
                .type = FIELD_CHOICE,
                .flags = FIELD_SORTABLE | FIELD_FILTERABLE,
                .choices = status_names,
                .choice_count = TASK_STATUS_COUNT,
                .at = offsetof(struct task, status),
                .bit = 1U << STATUS},
    [PRIORITY] = {.name = FIELD_NAME("priority"),
                  .type = FIELD_CHOICE,
                  .flags = FIELD_SORTABLE | FIELD_FILTERABLE,
                  .choices = priority_names,
                  .choice_count = TASK_PRIORITY_COUNT,
                  .at = offsetof(struct task, priority),
                  .bit = 1U << PRIORITY},
    [LIST_ID] = {.name = FIELD_NAME("list_id"),
                 .type = FIELD_UUID,
                 .flags = FIELD_NULLABLE,
                 .at = offsetof(struct task, list_id),
                 .bit = 1U << LIST_ID},
    [PARENT_ID] = {.name = FIELD_NAME("parent_id"),
                   .type = FIELD_UUID,
                   .flags = FIELD_NULLABLE,
                   .at = offsetof(struct task, parent_id),
                   .bit = 1U << PARENT_ID},
    [POSITION] = {.name = FIELD_NAME("position"),
                  .type = FIELD_TEXT,
                  .flags = FIELD_READ_ONLY | FIELD_POSITION | FIELD_BYTES | FIELD_SORTABLE,
                  .most = POSITION_MOST,
                  .at = offsetof(struct task, position),
                  .elsewhere = "POST /v1/tasks/{id}/move"},
    [LABELS] = {.name = FIELD_NAME("labels"),
                .type = FIELD_STRINGS,
                .most = TASK_LABEL_MOST,
                .most_items = TASK_LABELS_MOST,
                .at = offsetof(struct task, labels),
                .bit = 1U << LABELS},
    [START] = {.name = FIELD_NAME("start"),
               .type = FIELD_WHEN,
               .flags = FIELD_NULLABLE | FIELD_SORTABLE,
               .at = offsetof(struct task, start),
               .bit = 1U << START},
    [DUE] = {.name = FIELD_NAME("due"),
             .type = FIELD_WHEN,
             .flags = FIELD_NULLABLE | FIELD_SORTABLE,
             .at = offsetof(struct task, due),
             .bit = 1U << DUE},
    [TIME_ZONE] = {.name = FIELD_NAME("time_zone"),
                   .type = FIELD_TEXT,
                   .flags = FIELD_NULLABLE | FIELD_NOT_EMPTY | FIELD_BYTES | FIELD_ZONE,
                   .most = ZONE_NAME_MOST,
                   .at = offsetof(struct task, time_zone),
                   .bit = 1U << TIME_ZONE},
    [RECURRENCE] = {.name = FIELD_NAME("recurrence"),
                    .type = FIELD_TEXT,
                    .flags = FIELD_NULLABLE | FIELD_NOT_EMPTY | FIELD_BYTES,
                    .most = RECURRENCE_MOST,
                    .at = offsetof(struct task, recurrence),
                    .bit = 1U << RECURRENCE},
    [RECURRENCE_ANCHOR] = {.name = FIELD_NAME("recurrence_anchor"),
                           .type = FIELD_CHOICE,
                           .choices = anchor_names,
                           .choice_count = TASK_ANCHOR_COUNT,
                           .own_bits = TASK_DUE_MOVED | TASK_START_MOVED,
                           .at = offsetof(struct task, recurrence_anchor),
                           .bit = 1U << RECURRENCE_ANCHOR},
    [BLOCKED_BY] = {.name = FIELD_NAME("blocked_by"),
                    .type = FIELD_UUIDS,
                    .most_items = TASK_BLOCKERS_MOST,
                    .at = offsetof(struct task, blocked_by),
                    .bit = 1U << BLOCKED_BY},
    [METADATA] = {.name = FIELD_NAME("metadata"),
                  .type = FIELD_MAP,
                  .most = TASK_METADATA_TEXT_MOST,
                  .most_items = TASK_METADATA_MOST,
                  .most_name = TASK_METADATA_NAME_MOST,
                  .at = offsetof(struct task, metadata),
                  .bit = 1U << METADATA},
    [COMPLETED_AT] = {.name = FIELD_NAME("completed_at"),
                      .type = FIELD_TIME,
                      .flags = FIELD_NULLABLE | FIELD_SORTABLE,
                      .at = offsetof(struct task, completed_at),
                      .bit = 1U << COMPLETED_AT},
    [SERIES_ID] = {.name = FIELD_NAME("series_id"),
                   .type = FIELD_UUID,
                   .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
                   .at = offsetof(struct task, series_id)},
    [NEXT_ID] = {.name = FIELD_NAME("next_id"),
                 .type = FIELD_UUID,
                 .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
                 .at = offsetof(struct task, next_id)},
    [CREATED_AT] = {.name = FIELD_NAME("created_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_FIXED | FIELD_SORTABLE,
                    .at = offsetof(struct task, created_at)},
    [UPDATED_AT] = {.name = FIELD_NAME("updated_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_STAMP | FIELD_SORTABLE,
                    .at = offsetof(struct task, updated_at)},
    [REVISION] = {.name = FIELD_NAME("revision"),
                  .type = FIELD_NUMBER,
                  .flags = FIELD_READ_ONLY | FIELD_STAMP,
                  .at = offsetof(struct task, revision)},
};

/* ---- the column `folded` ---- */

/* The labels as members, out of their JSON, in which only quotes and backslashes have an escape. */
static void add_labels(struct slice json, struct buffer *out)
{
    char label[TASK_LABEL_MOST * 4];
    size_t len = 0;
    bool inside = false;
    for (size_t i = 0; i < json.len; i++) {
        if (json.ptr[i] == '"') {
            if (inside) {
                fold_add_member(out, (struct slice){label, len});
            }
            inside = !inside;
            len = 0;
        } else if (inside) {
            i += json.ptr[i] == '\\';
            assert(i < json.len && len < sizeof label);
            label[len++] = json.ptr[i];
        }
    }
}

/* Nothing, where all that is searched is plain (base/fold.h); else the title folded, by which tasks
 * are ordered, and on the lines after it the members that are searched. The title is among them
 * where white space makes them differ: what is found in the first line is in the member too. */
static void add_folded(const void *item, struct buffer *out)
{
    const struct task *task = item;
    if (fold_is_plain(task->title) && fold_is_plain(task->description) &&
        fold_is_plain(task->labels) &&
        (task->labels.len == 0 || !memchr(task->labels.ptr, '\\', task->labels.len))) {
        return;
    }
    fold_add(out, task->title);
    const size_t first = out->len;
    buffer_add_char(out, FOLD_BREAK);
    const size_t before = out->len;
    fold_add_member(out, task->title);
    if (!out->failed && out->len == before + 1 + first &&
        (first == 0 || memcmp(out->data, out->data + before + 1, first) == 0)) {
        out->len = before;
    }
    if (task->description.ptr) {
        fold_add_member(out, task->description);
    }
    add_labels(task->labels, out);
}

/* ---- lists ---- */

#define NAMED(name_, filter_, member)                                                              \
    {                                                                                              \
        .name = FIELD_NAME(name_), .filter = (filter_), .field = &fields[member]                   \
    }
#define RANGE(name_, member)                                                                       \
    NAMED(name_ ".from", LIST_FROM, member), NAMED(name_ ".before", LIST_BEFORE, member)
#define YES_OR_NO .no = FIELD_NAME("false"), .yes = FIELD_NAME("true")
#define WHETHER(name_, filter_)                                                                    \
    {                                                                                              \
        .name = FIELD_NAME(name_), .filter = (filter_), YES_OR_NO                                  \
    }

static const struct resource_filter filters[] = {
    {.name = FIELD_NAME("list"),
     .filter = LIST_IN,
     .field = &fields[LIST_ID],
     .no = FIELD_NAME("inbox")},
    {.name = FIELD_NAME("parent"),
     .filter = LIST_IN,
     .field = &fields[PARENT_ID],
     .no = FIELD_NAME("none")},
    NAMED("label", LIST_ANY_OF, LABELS),
    NAMED("label.all", LIST_ALL_OF, LABELS),
    {.name = FIELD_NAME("due"),
     .filter = LIST_THERE,
     .field = &fields[DUE],
     .no = FIELD_NAME("none"),
     .yes = FIELD_NAME("any")},
    RANGE("due", DUE),
    RANGE("start", START),
    RANGE("created", CREATED_AT),
    RANGE("updated", UPDATED_AT),
    RANGE("completed", COMPLETED_AT),
    {.name = FIELD_NAME("q"), .filter = LIST_SEARCH},
    WHETHER("overdue", LIST_OVERDUE),
    WHETHER("ready", LIST_READY),
    WHETHER("blocked", LIST_BLOCKED),
    WHETHER("archived", LIST_ARCHIVED),
    {.name = FIELD_NAME("recurring"),
     .filter = LIST_THERE,
     .field = &fields[RECURRENCE],
     YES_OR_NO},
};

static const struct resource_order orders[] = {
    {FIELD_NAME("title"), LIST_BY_FOLDED, &fields[TITLE]},
    {FIELD_NAME("start"), LIST_BY_START, &fields[START]},
    {FIELD_NAME("due"), LIST_BY_DUE, &fields[DUE]},
    {FIELD_NAME("list"), LIST_BY_LIST, &fields[LIST_ID]},
};

static bool fits(const void *item)
{
    const struct task *task = item;
    return (task->status == TASK_COMPLETED) == (task->completed_at != 0);
}

const struct resource task_resource = {
    .name = FIELD_NAME("task"),
    .collection = FIELD_NAME("tasks"),
    .kind = 1,
    .fields = fields,
    .count = COUNT,
    .size = sizeof(struct task),
    .text_most =
        ((size_t)TASK_TITLE_MOST + TASK_DESCRIPTION_MOST) * 4 + POSITION_MOST +
        FIELD_STRINGS_MOST(TASK_LABELS_MOST, TASK_LABEL_MOST) + ZONE_NAME_MOST + RECURRENCE_MOST +
        FIELD_UUIDS_MOST(TASK_BLOCKERS_MOST) +
        FIELD_MAP_MOST(TASK_METADATA_MOST, TASK_METADATA_NAME_MOST, TASK_METADATA_TEXT_MOST),
    .count_at = RESOURCE_COUNT_TASKS,
    .count_places = TASK_STATUS_COUNT,
    .counted = &fields[STATUS],
    .filters = filters,
    .filter_count = sizeof filters / sizeof filters[0],
    .derived = FIELD_NAME("folded"),
    .derive = add_folded,
    .orders = orders,
    .order_count = sizeof orders / sizeof orders[0],
    .settle = task_settle,
    .fits = fits,
};
