// SPDX-License-Identifier: MIT
#include "cli/from/family.h"

#include <assert.h>
#include <stdlib.h>

#define LEVELS_MOST 8    /* contract: a root is the first */
#define TREE_MOST   1000 /* tasks of one root */

/* ---- a place in the tree ---- */

static bool has_come(const struct intake_tree *tree, struct slice key, uint32_t *number)
{
    const struct key_digest digest = key_digest_of(&key, 1);
    const uint32_t *found = key_map_find(&tree->tasks, &digest);
    if (found) {
        *number = *found;
    }
    return found;
}

static bool remember(struct intake *in, const struct from_task *task, struct family_task place)
{
    struct intake_tree *tree = in->tree;
    const struct key_digest digest = key_digest_of(&task->key, 1);

    if (tree->count == tree->capacity) {
        const size_t capacity = tree->capacity ? tree->capacity * 2 : 64;
        struct family_task *all = reallocarray(tree->all, capacity, sizeof *all);
        if (!all) {
            return intake_no_memory(in);
        }
        tree->all = all;
        tree->capacity = capacity;
    }
    const uint32_t number = (uint32_t)tree->count;
    place.key = arena_copy(tree->kept, task->key);
    if (!place.key.ptr || !key_map_put(&tree->tasks, &digest, number)) {
        return intake_no_memory(in);
    }
    place.root = place.level == 1 ? number : place.root;
    tree->all[tree->count++] = place;
    tree->all[place.root].tree++;
    return true;
}

/* Under a parent that has come. */
static bool place_below(struct intake *in, struct from_task *task, uint32_t parent,
                        struct family_task *place)
{
    struct intake_tree *tree = in->tree;
    const struct family_task *above = &tree->all[parent];
    const uint32_t list = place->list;

    *place = (struct family_task){
        .root = above->root, .level = above->level + 1, .list = above->list, .parent = parent};
    if (tree->all[above->root].tree >= TREE_MOST) {
        *place = (struct family_task){.level = 1, .list = above->list};
        task->parent = (struct slice){0};
        return intake_note(in, task->line,
                           "its parent has %d tasks below it, the most there can be: it becomes a "
                           "task of its own",
                           TREE_MOST - 1);
    }
    /* Where none is named, it is the parent's. */
    if (list != 0 && list != above->list &&
        !intake_note(in, task->line, "it moves to its parent's list")) {
        return false;
    }
    return true;
}

bool family_place(struct intake *in, struct from_task *task)
{
    assert(in && task && task->key.len > 0);
    struct intake_tree *tree = in->tree;
    struct family_task place = {.level = 1};
    uint32_t parent = 0;

    if (task->list.len > 0) {
        const struct key_digest digest = key_digest_of(&task->list, 1);
        const uint32_t *list = key_map_find(&tree->lists, &digest);
        place.list = list ? *list : 0;
    }
    if (task->parent.len > 0 && has_come(tree, task->parent, &parent)) {
        if (tree->all[parent].level >= LEVELS_MOST) {
            parent = tree->all[parent].parent;
            if (!intake_note(in, task->line,
                             "it lies more than %d levels deep: it becomes a sibling of its parent",
                             LEVELS_MOST)) {
                return false;
            }
            task->parent = tree->all[parent].key;
        }
        if (!place_below(in, task, parent, &place)) {
            return false;
        }
    } else {
        task->parent = (struct slice){0};
    }
    task->list = tree->list_keys[place.list];
    if (!remember(in, task, place)) {
        return false;
    }
    if (!in->sink->task(in->sink->context, task)) {
        in->result = FROM_STOPPED;
    }
    return in->result == FROM_READ;
}

/* ---- those that wait ---- */

static bool keep(struct intake *in, struct slice *text)
{
    if (text->ptr) {
        *text = arena_copy(in->tree->kept, *text);
        return text->ptr || intake_no_memory(in);
    }
    return true;
}

static bool keep_task(struct intake *in, struct from_task *task)
{
    bool kept = keep(in, &task->key) && keep(in, &task->parent) && keep(in, &task->list) &&
                keep(in, &task->title) && keep(in, &task->description) &&
                keep(in, &task->time_zone) && keep(in, &task->recurrence);
    for (size_t i = 0; kept && i < task->label_count; i++) {
        kept = keep(in, &task->labels[i]);
    }
    return kept;
}

bool family_wait(struct intake *in, const struct from_task *task)
{
    assert(in && task && task->parent.len > 0);
    struct intake_tree *tree = in->tree;

    if (tree->waiting_count == tree->waiting_capacity) {
        const size_t capacity = tree->waiting_capacity ? tree->waiting_capacity * 2 : 64;
        struct family_waiting *all = reallocarray(tree->waiting, capacity, sizeof *all);
        if (!all) {
            return intake_no_memory(in);
        }
        tree->waiting = all;
        tree->waiting_capacity = capacity;
    }
    struct family_waiting *waiting = &tree->waiting[tree->waiting_count];
    *waiting = (struct family_waiting){
        .task = *task,
        .parent = key_digest_of(&task->parent, 1),
        .digest = key_digest_of(&task->key, 1),
        .came = tree->waiting_count,
    };
    if (!keep_task(in, &waiting->task)) {
        return false;
    }
    tree->waiting_count++;
    return true;
}

/* By parent, and then in the order of the file. */
static int by_parent(const void *left, const void *right)
{
    const struct family_waiting *a = left;
    const struct family_waiting *b = right;
    const int order = memcmp(a->parent.bytes, b->parent.bytes, KEY_DIGEST);
    return order ? order : a->came < b->came ? -1 : a->came > b->came;
}

/* The first one that waits for this parent, or the end. */
static size_t first_below(const struct intake_tree *tree, const struct key_digest *parent)
{
    size_t low = 0;
    size_t high = tree->waiting_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (memcmp(tree->waiting[middle].parent.bytes, parent->bytes, KEY_DIGEST) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Gives one that waits to the sink, and then all that wait below it, a level at a time. `queue` has
 * room for all: each comes once. */
static bool release(struct intake *in, size_t which, size_t *queue)
{
    struct intake_tree *tree = in->tree;
    size_t end = 0;

    tree->waiting[which].done = true;
    queue[end++] = which;
    for (size_t at = 0; at < end; at++) {
        struct family_waiting *waiting = &tree->waiting[queue[at]];
        if (!family_place(in, &waiting->task)) {
            return false;
        }
        for (size_t i = first_below(tree, &waiting->digest);
             i < tree->waiting_count && key_digest_eq(&tree->waiting[i].parent, &waiting->digest);
             i++) {
            if (!tree->waiting[i].done) {
                tree->waiting[i].done = true;
                queue[end++] = i;
            }
        }
    }
    return true;
}

/* Round 0: those whose parent has come; 1: those whose parent is nowhere; 2: rings. */
static bool settle_round(struct intake *in, unsigned round, size_t *queue)
{
    struct intake_tree *tree = in->tree;

    for (size_t i = 0; i < tree->waiting_count; i++) {
        struct family_waiting *waiting = &tree->waiting[i];
        const bool come = key_map_find(&tree->tasks, &waiting->parent);
        if (waiting->done || (round == 0 && !come) ||
            (round == 1 && key_map_find(&tree->keys, &waiting->parent))) {
            continue;
        }
        if (!come) {
            waiting->task.parent = (struct slice){0};
            if (!intake_note(in, waiting->task.line, "%s: it becomes a task of its own",
                             round == 1 ? "its parent is not in the file"
                                        : "it is its own ancestor")) {
                return false;
            }
        }
        if (!release(in, i, queue)) {
            return false;
        }
    }
    return true;
}

bool family_settle(struct intake *in)
{
    assert(in && in->tree);
    struct intake_tree *tree = in->tree;
    bool done = true;

    if (tree->waiting_count == 0) {
        return true;
    }
    qsort(tree->waiting, tree->waiting_count, sizeof *tree->waiting, by_parent);
    size_t *queue = reallocarray(NULL, tree->waiting_count, sizeof *queue);
    if (!queue) {
        return intake_no_memory(in);
    }
    for (unsigned round = 0; done && round < 3; round++) {
        done = settle_round(in, round, queue);
    }
    free(queue);
    return done;
}
