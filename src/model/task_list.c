// SPDX-License-Identifier: MIT
#include "model/task_list.h"

#include "model/position.h"

enum { ID, NAME, COLOR, POSITION, ARCHIVED, METADATA, CREATED_AT, UPDATED_AT, REVISION, COUNT };

/* It is in lower case by now. */
static const char *color_wrong(struct slice text)
{
    bool good = text.len == LIST_COLOR_LEN && text.ptr[0] == '#';
    for (size_t i = 1; i < text.len && good; i++) {
        const char c = text.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    return good ? NULL : "Must be # and six hexadecimal digits, such as #3584e4.";
}

static const struct field fields[COUNT] = {
    [ID] = {.name = FIELD_NAME("id"),
            .type = FIELD_UUID,
            .flags = FIELD_READ_ONLY | FIELD_FIXED,
            .at = offsetof(struct task_list, id)},
    [NAME] = {.name = FIELD_NAME("name"),
              .type = FIELD_TEXT,
              .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK | FIELD_SORTABLE,
              .most = LIST_NAME_MOST,
              .at = offsetof(struct task_list, name),
              .bit = 1U << NAME},
    [COLOR] = {.name = FIELD_NAME("color"),
               .type = FIELD_TEXT,
               .flags = FIELD_NULLABLE | FIELD_NOT_EMPTY | FIELD_BYTES | FIELD_LOWER,
               .most = LIST_COLOR_LEN,
               .at = offsetof(struct task_list, color),
               .bit = 1U << COLOR,
               .wrong = color_wrong,
               .wrong_code = "color"},
    [POSITION] = {.name = FIELD_NAME("position"),
                  .type = FIELD_TEXT,
                  .flags = FIELD_READ_ONLY | FIELD_POSITION | FIELD_BYTES | FIELD_SORTABLE,
                  .most = POSITION_MOST,
                  .at = offsetof(struct task_list, position),
                  .elsewhere = "POST /v1/lists/{id}/move"},
    [ARCHIVED] = {.name = FIELD_NAME("archived"),
                  .type = FIELD_BOOL,
                  .flags = FIELD_FILTERABLE,
                  .at = offsetof(struct task_list, archived),
                  .bit = 1U << ARCHIVED},
    [METADATA] = {.name = FIELD_NAME("metadata"),
                  .type = FIELD_MAP,
                  .most = LIST_METADATA_TEXT_MOST,
                  .most_items = LIST_METADATA_MOST,
                  .most_name = LIST_METADATA_NAME_MOST,
                  .at = offsetof(struct task_list, metadata),
                  .bit = 1U << METADATA},
    [CREATED_AT] = {.name = FIELD_NAME("created_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_FIXED | FIELD_SORTABLE,
                    .at = offsetof(struct task_list, created_at)},
    [UPDATED_AT] = {.name = FIELD_NAME("updated_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_STAMP | FIELD_SORTABLE,
                    .at = offsetof(struct task_list, updated_at)},
    [REVISION] = {.name = FIELD_NAME("revision"),
                  .type = FIELD_NUMBER,
                  .flags = FIELD_READ_ONLY | FIELD_STAMP,
                  .at = offsetof(struct task_list, revision)},
};

const struct resource list_resource = {
    .name = FIELD_NAME("list"),
    .collection = FIELD_NAME("lists"),
    .kind = 2,
    .fields = fields,
    .count = COUNT,
    .size = sizeof(struct task_list),
    .text_most =
        (size_t)LIST_NAME_MOST * 4 + LIST_COLOR_LEN + POSITION_MOST +
        FIELD_MAP_MOST(LIST_METADATA_MOST, LIST_METADATA_NAME_MOST, LIST_METADATA_TEXT_MOST),
    .order = FIELD_NAME("position"),
    .most = LISTS_MOST,
    .count_at = RESOURCE_COUNT_LISTS,
    .count_places = 1,
};
