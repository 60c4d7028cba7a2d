// SPDX-License-Identifier: MIT
#include "store/transfer/dump.h"

#include "model/task.h"
#include "model/text.h"
#include "model/user_fields.h"

#define PASSWORD_HASH_MOST_BYTES 127

static bool good_name(struct slice text)
{
    const struct text_facts facts = text_look(text);
    return facts.code_points <= USER_NAME_MOST && !facts.line_control && !facts.other_control;
}

static bool good_hash(struct slice text)
{
    return slice_starts(text, SLICE("$argon2id$")) && text.len <= PASSWORD_HASH_MOST_BYTES;
}

static bool good_title(struct slice text)
{
    const struct text_facts facts = text_look(text);
    return facts.code_points <= TASK_TITLE_MOST && !facts.blank && !facts.line_control &&
           !facts.other_control;
}

static bool good_description(struct slice text)
{
    const struct text_facts facts = text_look(text);
    return facts.code_points <= TASK_DESCRIPTION_MOST && !facts.other_control;
}

/* Positions in the row of a task. */
enum { TASK_COMPLETED_AT = 5, TASK_STATUS_AT = 6 };

static bool good_task(const struct table_value *row)
{
    return (row[TASK_STATUS_AT].number == TASK_COMPLETED) != row[TASK_COMPLETED_AT].null;
}

const struct dump_table dump_tables[DUMP_TABLES] = {
    {
        .table = &tables[TABLE_USERS],
        .type = FIELD_NAME("user"),
        .count = FIELD_NAME("users"),
        .columns = {{FIELD_NAME("id"), DUMP_UUID, NULL},
                    {FIELD_NAME("email"), DUMP_TEXT, user_email_valid},
                    {FIELD_NAME("name"), DUMP_TEXT, good_name},
                    {FIELD_NAME("password_hash"), DUMP_TEXT, good_hash},
                    {FIELD_NAME("revision"), DUMP_NUMBER, NULL},
                    {FIELD_NAME("disabled_at"), DUMP_TIME, NULL},
                    {FIELD_NAME("created_at"), DUMP_TIME, NULL},
                    {FIELD_NAME("updated_at"), DUMP_TIME, NULL}},
    },
    {
        .table = &tables[TABLE_TASKS],
        .type = FIELD_NAME("task"),
        .count = FIELD_NAME("tasks"),
        .valid = good_task,
        .columns = {{FIELD_NAME("user_id"), DUMP_UUID, NULL},
                    {FIELD_NAME("created_at"), DUMP_TIME, NULL},
                    {FIELD_NAME("id"), DUMP_UUID, NULL},
                    {FIELD_NAME("revision"), DUMP_NUMBER, NULL},
                    {FIELD_NAME("updated_at"), DUMP_TIME, NULL},
                    {FIELD_NAME("completed_at"), DUMP_TIME, NULL},
                    {FIELD_NAME("status"), DUMP_STATUS, NULL},
                    {FIELD_NAME("title"), DUMP_TEXT, good_title},
                    {FIELD_NAME("description"), DUMP_TEXT, good_description}},
    },
    {
        .table = &tables[TABLE_TOMBSTONES],
        .type = FIELD_NAME("tombstone"),
        .count = FIELD_NAME("tombstones"),
        .columns = {{FIELD_NAME("user_id"), DUMP_UUID, NULL},
                    {FIELD_NAME("id"), DUMP_UUID, NULL},
                    {FIELD_NAME("revision"), DUMP_NUMBER, NULL},
                    {FIELD_NAME("deleted_at"), DUMP_TIME, NULL}},
    },
};
