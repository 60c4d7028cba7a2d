// SPDX-License-Identifier: MIT
#include "model/task.h"
#include "model/task_list.h"

/* A resource that only this build has: a member of each type, one that may be null and one that may
 * not, all of them sortable and filterable. Nothing else in the program knows of it. */

struct sample {
    ITEM_MEMBERS;
    struct slice name;
    struct slice note;
    unsigned size;
    unsigned mood;
    unsigned open;
    unsigned checked;
    struct uuid owner;
    struct uuid parent;
    int64_t begins_at;
    int64_t ends_at;
    int64_t amount;
    int64_t weight;
    int64_t begins; /* as when_pack has it */
    int64_t ends;
    struct slice marks;
    struct slice others;
    struct slice extra;
};
ITEM_ASSERT(struct sample);

static const struct slice sizes[] = {FIELD_NAME("small"), FIELD_NAME("medium"),
                                     FIELD_NAME("large")};
static const struct slice moods[] = {FIELD_NAME("good"), FIELD_NAME("bad")};

enum {
    ID,
    NAME,
    NOTE,
    SIZE,
    MOOD,
    OPEN,
    CHECKED,
    OWNER,
    PARENT,
    BEGINS_AT,
    ENDS_AT,
    AMOUNT,
    WEIGHT,
    BEGINS,
    ENDS,
    MARKS,
    OTHERS,
    EXTRA,
    CREATED_AT,
    UPDATED_AT,
    REVISION,
    COUNT
};

#define BOTH (FIELD_SORTABLE | FIELD_FILTERABLE)
#define MEMBER(place, member, kind, more, ...)                                                     \
    [place] = {.name = FIELD_NAME(#member),                                                        \
               .type = FIELD_##kind,                                                               \
               .flags = BOTH | (more),                                                             \
               .at = offsetof(struct sample, member),                                              \
               .bit = 1U << (place),                                                               \
               __VA_ARGS__}
/* One that a list is neither ordered nor filtered by. */
#define WHOLE(place, member, kind, ...)                                                            \
    [place] = {.name = FIELD_NAME(#member),                                                        \
               .type = FIELD_##kind,                                                               \
               .at = offsetof(struct sample, member),                                              \
               .bit = 1U << (place),                                                               \
               __VA_ARGS__}
#define OURS(place, member, kind, more)                                                            \
    [place] = {.name = FIELD_NAME(#member),                                                        \
               .type = FIELD_##kind,                                                               \
               .flags = FIELD_READ_ONLY | (more),                                                  \
               .at = offsetof(struct sample, member)}

static const struct field fields[COUNT] = {
    OURS(ID, id, UUID, FIELD_FIXED),
    MEMBER(NAME, name, TEXT, FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK, .most = 100),
    MEMBER(NOTE, note, TEXT, FIELD_NULLABLE | FIELD_MULTILINE, .most = 1000),
    MEMBER(SIZE, size, CHOICE, 0, .choices = sizes, .choice_count = 3, .initial = 1),
    MEMBER(MOOD, mood, CHOICE, FIELD_NULLABLE, .choices = moods, .choice_count = 2),
    MEMBER(OPEN, open, BOOL, 0),
    MEMBER(CHECKED, checked, BOOL, FIELD_NULLABLE),
    MEMBER(OWNER, owner, UUID, FIELD_REQUIRED),
    MEMBER(PARENT, parent, UUID, FIELD_NULLABLE),
    MEMBER(BEGINS_AT, begins_at, TIME, FIELD_REQUIRED),
    MEMBER(ENDS_AT, ends_at, TIME, FIELD_NULLABLE),
    MEMBER(AMOUNT, amount, NUMBER, 0, .least_number = -1000, .most_number = 1000),
    MEMBER(WEIGHT, weight, NUMBER, FIELD_NULLABLE),
    MEMBER(BEGINS, begins, WHEN, FIELD_REQUIRED),
    MEMBER(ENDS, ends, WHEN, FIELD_NULLABLE),
    WHOLE(MARKS, marks, STRINGS, .most = 64, .most_items = 32),
    WHOLE(OTHERS, others, UUIDS, .most_items = 4),
    WHOLE(EXTRA, extra, MAP, .most = 20, .most_name = 10, .most_items = 5),
    OURS(CREATED_AT, created_at, TIME, FIELD_FIXED | FIELD_SORTABLE),
    OURS(UPDATED_AT, updated_at, TIME, FIELD_STAMP | FIELD_SORTABLE),
    OURS(REVISION, revision, NUMBER, FIELD_STAMP),
};

const struct resource sample_resource = {
    .name = FIELD_NAME("sample"),
    .collection = FIELD_NAME("samples"),
    .kind = 9,
    .fields = fields,
    .count = COUNT,
    .size = sizeof(struct sample),
    .text_most = (size_t)(100 + 1000) * 4 + FIELD_STRINGS_MOST(32, 64) + FIELD_UUIDS_MOST(4) +
                 FIELD_MAP_MOST(5, 10, 20),
};

const struct resource *const resources[] = {&list_resource, &task_resource, &sample_resource};
const unsigned resource_count = sizeof resources / sizeof resources[0];
