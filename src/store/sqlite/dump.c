#include "store/sqlite/dump.h"

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

static bool good_task(const struct dump_value *row)
{
    return (row[TASK_STATUS_AT].number == TASK_COMPLETED) != row[TASK_COMPLETED_AT].null;
}

const struct dump_table dump_tables[DUMP_TABLES] = {
    {
        .type = FIELD_NAME("user"),
        .count = FIELD_NAME("users"),
        .count_sql = "SELECT count(*) FROM users WHERE ?1 IS NULL OR id = ?1",
        .select = "SELECT id, email, name, password_hash, revision, disabled_at, created_at, "
                  "updated_at FROM users WHERE ?1 IS NULL OR id = ?1 ORDER BY id",
        .insert = "INSERT INTO users (id, email, name, password_hash, revision, disabled_at, "
                  "created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        .columns = {{FIELD_NAME("id"), DUMP_UUID, false, NULL},
                    {FIELD_NAME("email"), DUMP_TEXT, false, user_email_valid},
                    {FIELD_NAME("name"), DUMP_TEXT, true, good_name},
                    {FIELD_NAME("password_hash"), DUMP_TEXT, false, good_hash},
                    {FIELD_NAME("revision"), DUMP_NUMBER, false, NULL},
                    {FIELD_NAME("disabled_at"), DUMP_TIME, true, NULL},
                    {FIELD_NAME("created_at"), DUMP_TIME, false, NULL},
                    {FIELD_NAME("updated_at"), DUMP_TIME, false, NULL}},
        .column_count = 8,
    },
    {
        .type = FIELD_NAME("task"),
        .count = FIELD_NAME("tasks"),
        .count_sql = "SELECT count(*) FROM tasks WHERE ?1 IS NULL OR user_id = ?1",
        .select = "SELECT user_id, created_at, id, revision, updated_at, completed_at, status, "
                  "title, description FROM tasks WHERE ?1 IS NULL OR user_id = ?1 "
                  "ORDER BY user_id, created_at, id",
        .insert = "INSERT INTO tasks (user_id, created_at, id, revision, updated_at, completed_at, "
                  "status, title, description) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 "
                  "FROM users WHERE users.id = ?1 AND users.revision >= ?4",
        .valid = good_task,
        .columns = {{FIELD_NAME("user_id"), DUMP_UUID, false, NULL},
                    {FIELD_NAME("created_at"), DUMP_TIME, false, NULL},
                    {FIELD_NAME("id"), DUMP_UUID, false, NULL},
                    {FIELD_NAME("revision"), DUMP_NUMBER, false, NULL},
                    {FIELD_NAME("updated_at"), DUMP_TIME, false, NULL},
                    {FIELD_NAME("completed_at"), DUMP_TIME, true, NULL},
                    {FIELD_NAME("status"), DUMP_STATUS, false, NULL},
                    {FIELD_NAME("title"), DUMP_TEXT, false, good_title},
                    {FIELD_NAME("description"), DUMP_TEXT, true, good_description}},
        .column_count = 9,
    },
    {
        .type = FIELD_NAME("tombstone"),
        .count = FIELD_NAME("tombstones"),
        .count_sql = "SELECT count(*) FROM tombstones WHERE ?1 IS NULL OR user_id = ?1",
        .select = "SELECT user_id, id, revision, deleted_at FROM tombstones "
                  "WHERE ?1 IS NULL OR user_id = ?1 ORDER BY sequence",
        .insert = "INSERT INTO tombstones (user_id, id, revision, deleted_at) "
                  "SELECT ?1, ?2, ?3, ?4 FROM users WHERE users.id = ?1 AND users.revision >= ?3",
        .columns = {{FIELD_NAME("user_id"), DUMP_UUID, false, NULL},
                    {FIELD_NAME("id"), DUMP_UUID, false, NULL},
                    {FIELD_NAME("revision"), DUMP_NUMBER, false, NULL},
                    {FIELD_NAME("deleted_at"), DUMP_TIME, false, NULL}},
        .column_count = 4,
    },
};
