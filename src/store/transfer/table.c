// SPDX-License-Identifier: MIT
#include "store/transfer/table.h"

#define COLUMNS(...)                                                                               \
    .columns = {__VA_ARGS__},                                                                      \
    .column_count = sizeof((struct table_column[]){__VA_ARGS__}) / sizeof(struct table_column)

const struct table tables[TABLE_COUNT] = {
    [TABLE_USERS] =
        {
            .name = "users",
            .order = "user_id",
            COLUMNS({"user_id", TABLE_UUID, false, "id"}, {"email", TABLE_TEXT, false, NULL},
                    {"name", TABLE_TEXT, true, NULL}, {"password_hash", TABLE_TEXT, false, NULL},
                    {"revision", TABLE_I64, false, NULL}, {"disabled_at", TABLE_I64, true, NULL},
                    {"created_at", TABLE_I64, false, NULL}, {"updated_at", TABLE_I64, false, NULL}),
        },
    /* SQLite compares e-mails without regard to case instead. */
    [TABLE_EMAILS] =
        {
            .name = "emails",
            .derived = "users",
            .order = "user_id",
            COLUMNS({"email", TABLE_TEXT, false, "lower(email)"},
                    {"user_id", TABLE_UUID, false, "id"}),
        },
    [TABLE_TASKS] =
        {
            .name = "tasks",
            .order = "user_id, created_at, id",
            COLUMNS({"user_id", TABLE_UUID, false, NULL}, {"created_at", TABLE_I64, false, NULL},
                    {"id", TABLE_UUID, false, NULL}, {"revision", TABLE_I64, false, NULL},
                    {"updated_at", TABLE_I64, false, NULL}, {"completed_at", TABLE_I64, true, NULL},
                    {"status", TABLE_I16, false, NULL}, {"title", TABLE_TEXT, false, NULL},
                    {"description", TABLE_TEXT, true, NULL}),
        },
    [TABLE_TOMBSTONES] =
        {
            .name = "tombstones",
            .order = "deleted_at, user_id, id",
            COLUMNS({"user_id", TABLE_UUID, false, NULL}, {"id", TABLE_UUID, false, NULL},
                    {"revision", TABLE_I64, false, NULL}, {"deleted_at", TABLE_I64, false, NULL}),
        },
    [TABLE_IDEMPOTENCY_KEYS] =
        {
            .name = "idempotency_keys",
            .order = "used_at, user_id, key",
            COLUMNS({"user_id", TABLE_UUID, false, NULL}, {"key", TABLE_TEXT, false, NULL},
                    {"fingerprint", TABLE_BLOB, false, NULL}, {"used_at", TABLE_I64, false, NULL},
                    {"outcome", TABLE_I16, false, NULL}, {"task_id", TABLE_UUID, false, NULL},
                    {"revision", TABLE_I64, false, NULL}, {"created_at", TABLE_I64, false, NULL},
                    {"updated_at", TABLE_I64, false, NULL}, {"completed_at", TABLE_I64, true, NULL},
                    {"status", TABLE_I16, false, NULL}, {"title", TABLE_TEXT, true, NULL},
                    {"description", TABLE_TEXT, true, NULL}),
        },
    [TABLE_SESSIONS] =
        {
            .name = "sessions",
            .order = "user_id, created_at, id",
            COLUMNS({"user_id", TABLE_UUID, false, NULL}, {"id", TABLE_UUID, false, NULL},
                    {"counter", TABLE_I64, false, NULL}, {"created_at", TABLE_I64, false, NULL},
                    {"last_used_at", TABLE_I64, false, NULL},
                    {"expires_at", TABLE_I64, false, NULL}, {"superseded", TABLE_BLOB, false, NULL},
                    {"ip", TABLE_TEXT, false, NULL}, {"user_agent", TABLE_TEXT, true, NULL}),
        },
    [TABLE_KNOWN_ADDRESSES] =
        {
            .name = "known_addresses",
            .order = "user_id, ip",
            COLUMNS({"user_id", TABLE_UUID, false, NULL}, {"ip", TABLE_TEXT, false, NULL},
                    {"seen_at", TABLE_I64, false, NULL}),
        },
    /* Nobody's yet: only what copies all of a database takes them along. */
    [TABLE_INVITATIONS] =
        {
            .name = "invitations",
            .order = "hash",
            COLUMNS({"hash", TABLE_BLOB, false, NULL}, {"created_at", TABLE_I64, false, NULL},
                    {"expires_at", TABLE_I64, false, NULL}, {"email", TABLE_TEXT, true, NULL}),
        },
};

int table_find(const struct table *table, const char *column)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, column) == 0)
            return (int)i;
    }
    return -1;
}
