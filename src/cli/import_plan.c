// SPDX-License-Identifier: MIT
#include "cli/import_plan.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/json_writer.h"

/* More than the members of one with their escapes can have. */
#define BODY_MOST ((size_t)1024 * 1024)

/* ---- entries ---- */

/* UUIDv8 of a SHA-256 (RFC 9562 section 5.8); never to change, or a file is imported twice. */
static struct uuid entry_id(const struct import_plan *plan, char kind, struct slice key)
{
    const struct slice format = from_format_name(plan->format);
    const uint8_t after[] = {0, (uint8_t)kind};
    crypto_hash_sha256_state state;
    uint8_t digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, plan->user.bytes, sizeof plan->user.bytes);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)format.ptr, format.len);
    (void)crypto_hash_sha256_update(&state, after, sizeof after);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)key.ptr, key.len);
    (void)crypto_hash_sha256_final(&state, digest);
    return uuid_make_v8(digest);
}

/* The number of a key; IMPORT_NONE: there is none, or the key is none. */
static uint32_t number_of(const struct import_entries *entries, struct slice key)
{
    const struct key_digest digest = key_digest_of(&key, 1);
    const uint32_t *number = key.ptr ? key_map_find(&entries->numbers, &digest) : NULL;

    assert(number || !key.ptr); /* a list comes before its tasks, a parent before its children */
    return number ? *number : IMPORT_NONE;
}

/* A new entry; NULL without memory. */
static struct import_entry *add_entry(struct import_entries *entries, struct slice key)
{
    const struct key_digest digest = key_digest_of(&key, 1);

    if (entries->count == entries->capacity) {
        const uint32_t capacity = entries->capacity ? entries->capacity * 2 : 64;
        struct import_entry *all = reallocarray(entries->all, capacity, sizeof *all);
        if (!all) {
            return NULL;
        }
        entries->all = all;
        entries->capacity = capacity;
    }
    if (!key_map_put(&entries->numbers, &digest, entries->count)) {
        return NULL;
    }
    struct import_entry *entry = &entries->all[entries->count];
    *entry = (struct import_entry){
        .number = entries->count++, .list = IMPORT_NONE, .parent = IMPORT_NONE};
    return entry;
}

/* The entry takes what was written. */
static bool keep_body(struct import_entry *entry, struct buffer *text)
{
    entry->body = text->failed ? NULL : malloc(text->len);
    if (entry->body) {
        memcpy(entry->body, text->data, text->len);
        entry->body_len = text->len;
    }
    buffer_finish(text);
    return entry->body;
}

static void finish_entries(struct import_entries *entries)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        free(entries->all[i].body);
    }
    free(entries->all);
    key_map_finish(&entries->numbers);
    *entries = (struct import_entries){0};
}

/* ---- bodies: what is the default is left out ---- */

static void write_text(struct json_writer *w, struct slice name, struct slice text)
{
    if (text.ptr) {
        jw_name(w, name);
        jw_text(w, text);
    }
}

static void write_when(struct json_writer *w, struct slice name, const struct when *when)
{
    char room[WHEN_TEXT_MOST];

    if (when->kind != WHEN_NONE) {
        write_text(w, name, when_write(when, room));
    }
}

static void write_id(struct json_writer *w, struct slice name, const struct import_entries *entries,
                     uint32_t number)
{
    if (number != IMPORT_NONE) {
        jw_name(w, name);
        jw_uuid(w, entries->all[number].id);
    }
}

static void write_task(struct json_writer *w, const struct import_plan *plan,
                       const struct import_entry *entry, const struct from_task *task)
{
    static const char *const statuses[TASK_STATUS_COUNT] = {
        [TASK_IN_PROGRESS] = "in-progress", [TASK_COMPLETED] = "completed"};
    static const char *const priorities[] = {[FROM_PRIORITY_NONE] = NULL,
                                             [FROM_PRIORITY_LOW] = "low",
                                             [FROM_PRIORITY_MEDIUM] = "medium",
                                             [FROM_PRIORITY_HIGH] = "high",
                                             [FROM_PRIORITY_URGENT] = "urgent"};

    write_text(w, SLICE("title"), task->title);
    write_text(w, SLICE("description"), task->description);
    write_text(w, SLICE("status"), slice_of(statuses[task->status]));
    write_text(w, SLICE("priority"), slice_of(priorities[task->priority]));
    if (entry->parent == IMPORT_NONE) {
        write_id(w, SLICE("list_id"), &plan->lists, entry->list);
    } else { /* in its parent's list, which may be another one by now */
        write_id(w, SLICE("parent_id"), &plan->tasks, entry->parent);
    }
    write_when(w, SLICE("start"), &task->start);
    write_when(w, SLICE("due"), &task->due);
    write_text(w, SLICE("time_zone"), task->time_zone);
    write_text(w, SLICE("recurrence"), task->recurrence);
    write_text(w, SLICE("recurrence_anchor"),
               slice_of(task->recurs_from_completion ? "completion" : NULL));
    if (task->label_count > 0) {
        jw_name(w, SLICE("labels"));
        jw_open_array(w);
        for (size_t i = 0; i < task->label_count; i++) {
            jw_text(w, task->labels[i]);
        }
        jw_close_array(w);
    }
    if (task->status == TASK_COMPLETED && task->completed_at != 0) {
        jw_name(w, SLICE("completed_at"));
        jw_time(w, task->completed_at);
    }
}

/* ---- the plan ---- */

bool import_plan_add_list(struct import_plan *plan, const struct from_list *list)
{
    struct buffer text;
    struct json_writer w;
    struct import_entry *entry = add_entry(&plan->lists, list->key);

    if (!entry) {
        return false;
    }
    entry->id = entry_id(plan, 'l', list->key);
    entry->line = list->line;
    buffer_init(&text, BODY_MOST);
    json_writer_init(&w, &text);
    jw_open_object(&w);
    write_text(&w, SLICE("name"), list->name);
    write_text(&w, SLICE("color"), list->color);
    if (list->archived) {
        jw_name(&w, SLICE("archived"));
        jw_bool(&w, true);
    }
    jw_close_object(&w);
    return keep_body(entry, &text);
}

bool import_plan_add_task(struct import_plan *plan, const struct from_task *task)
{
    struct buffer text;
    struct json_writer w;
    const uint32_t list = number_of(&plan->lists, task->list);
    const uint32_t parent = number_of(&plan->tasks, task->parent);
    struct import_entry *entry = add_entry(&plan->tasks, task->key);

    if (!entry) {
        return false;
    }
    entry->id = entry_id(plan, 't', task->key);
    entry->line = task->line;
    entry->order = task->order;
    entry->list = list;
    entry->parent = parent;
    entry->level = parent == IMPORT_NONE ? 0 : plan->tasks.all[parent].level + 1;
    buffer_init(&text, BODY_MOST);
    json_writer_init(&w, &text);
    jw_open_object(&w);
    write_task(&w, plan, entry, task);
    jw_close_object(&w);
    return keep_body(entry, &text);
}

/* The inbox comes last. */
static int compare(const void *a, const void *b, void *context)
{
    const struct import_entry *all = context;
    const struct import_entry *x = &all[*(const uint32_t *)a];
    const struct import_entry *y = &all[*(const uint32_t *)b];

    if (x->list != y->list) {
        return x->list < y->list ? -1 : 1;
    }
    if (x->level != y->level) {
        return x->level < y->level ? -1 : 1;
    }
    if (x->order != y->order) {
        return x->order < y->order ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

bool import_plan_sort(struct import_plan *plan)
{
    assert(!plan->turns);
    plan->turns = calloc((size_t)plan->tasks.count + 1, sizeof *plan->turns);
    if (!plan->turns) {
        return false;
    }
    for (uint32_t i = 0; i < plan->tasks.count; i++) {
        plan->turns[i] = i;
    }
    qsort_r(plan->turns, plan->tasks.count, sizeof *plan->turns, compare, plan->tasks.all);
    return true;
}

void import_plan_finish(struct import_plan *plan)
{
    finish_entries(&plan->lists);
    finish_entries(&plan->tasks);
    free(plan->turns);
    plan->turns = NULL;
}
