// SPDX-License-Identifier: MIT
#include "store/transfer/table.h"

#include "model/user_fields.h"
#include "store/store.h"

#define PASSWORD_HASH_MOST 127 /* bytes */
#define KINDS_MOST         256 /* numbers of resources, which are never given out twice */

/* ---- the columns ---- */

#define COLUMN(column, kind, ...)                                                                  \
    {                                                                                              \
        .name = FIELD_NAME(column), .type = (kind), __VA_ARGS__                                    \
    }
#define UUID(column, ...)   COLUMN(column, FIELD_UUID, __VA_ARGS__)
#define TEXT(column, ...)   COLUMN(column, FIELD_TEXT, __VA_ARGS__)
#define BLOB(column)        COLUMN(column, FIELD_TEXT, .flags = FIELD_BLOB)
#define TIME(column, ...)   COLUMN(column, FIELD_TIME, __VA_ARGS__)
#define CHOICE(column, ...) COLUMN(column, FIELD_CHOICE, __VA_ARGS__)
#define NUMBER(column, ...) COLUMN(column, FIELD_NUMBER, __VA_ARGS__)

/* A revision; only a space may have had no change yet. */
#define REVISION(column, least, ...)                                                               \
    NUMBER(column, .least_number = (least), .most_number = TABLE_REVISION_MOST, __VA_ARGS__)

#define NULLABLE        .flags = FIELD_NULLABLE
#define USER(member)    .at = offsetof(struct user, member)
#define SPACE(member)   .at = offsetof(struct space_row, member)
#define CHANGE(member)  .at = offsetof(struct change_row, member)
#define TRASHED(member) .at = offsetof(struct trash_row, member)

#define COLUMNS(...)                                                                               \
    .columns = {__VA_ARGS__},                                                                      \
    .column_count = sizeof((struct field[]){__VA_ARGS__}) / sizeof(struct field)

/* Names of the numbers in the journal; there is no verb 0. */
static const struct slice verbs[] = {
    [STORE_CREATE] = FIELD_NAME("create"), [STORE_REPLACE] = FIELD_NAME("replace"),
    [STORE_UPDATE] = FIELD_NAME("update"), [STORE_DELETE] = FIELD_NAME("delete"),
    [STORE_MOVE] = FIELD_NAME("move"),     [STORE_RESTORE] = FIELD_NAME("restore"),
};
static struct slice kinds[KINDS_MOST];

static const char *hash_wrong(struct slice text)
{
    return slice_starts(text, SLICE("$argon2id$")) ? NULL : "Must be a hash of Argon2id.";
}

static bool user_fits(const void *row)
{
    return ((const struct user *)row)->email.ptr;
}

static bool space_fits(const void *row)
{
    const struct space_row *space = row;
    return space->forgotten <= space->revision;
}

/* A change of something that was there says what it was; a deletion of format 1 does not, nor does
 * what was purged from the trash. */
static bool change_fits(const void *row)
{
    const struct change_row *change = row;
    return change->verb != STORE_CREATE || !change->before.ptr;
}

struct table tables[TABLES_MOST] =
    {
        [TABLE_USERS] =
            {
                .name = "users",
                .order = "user_id",
                .line = FIELD_NAME("user"),
                .lines = FIELD_NAME("users"),
                .exported = 8,
                .fits = user_fits,
                .size = sizeof(struct user),
                COLUMNS(UUID("user_id", USER(id)),
                        TEXT("email", USER(email), NULLABLE, .most = USER_EMAIL_MOST,
                             .wrong = user_email_wrong, .wrong_code = "email"),
                        TEXT("name", USER(name), NULLABLE, .most = USER_NAME_MOST),
                        TEXT("time_zone", USER(time_zone), .flags = FIELD_NULLABLE | FIELD_BYTES,
                             .most = ZONE_NAME_MOST),
                        TEXT("password_hash", USER(password_hash), .flags = FIELD_BYTES,
                             .most = PASSWORD_HASH_MOST, .wrong = hash_wrong, .wrong_code = "hash"),
                        TIME("disabled_at", USER(disabled_at), NULLABLE),
                        TIME("created_at", USER(created_at)), TIME("updated_at", USER(updated_at)),
                        TIME("deleted_at", NULLABLE)),
            },
        [TABLE_EMAILS] =
            {
                .name = "emails",
                .order = "user_id",
                /* It compares e-mails without regard to case instead. */
                .in_sqlite = "(SELECT lower(email) AS email, user_id FROM users "
                             "WHERE email IS NOT NULL)",
                COLUMNS(TEXT("email", .most = USER_EMAIL_MOST), UUID("user_id")),
            },
        [TABLE_SPACES] =
            {
                .name = "spaces",
                .order = "space_id",
                .line = FIELD_NAME("space"),
                .lines = FIELD_NAME("spaces"),
                .exported = 4,
                .fits = space_fits,
                .size = sizeof(struct space_row),
                /* The rest is counted anew (store/sql.h). */
                COLUMNS(UUID("space_id", SPACE(space_id)), UUID("owner_id", SPACE(owner_id)),
                        REVISION("revision", 0, SPACE(revision)),
                        REVISION("forgotten", 0, SPACE(forgotten)), NUMBER("emptied")),
            },
        [TABLE_JOURNAL] =
            {
                .name = "journal",
                .order = "space_id, revision",
                .line = FIELD_NAME("change"),
                .lines = FIELD_NAME("changes"),
                .exported = 8,
                .fits = change_fits,
                .size = sizeof(struct change_row),
                COLUMNS(UUID("space_id", CHANGE(space_id)),
                        REVISION("revision", 1, CHANGE(revision)), TIME("at", CHANGE(at)),
                        CHOICE("kind", CHANGE(kind), .choices = kinds, .choice_count = KINDS_MOST),
                        CHOICE("verb", CHANGE(verb), .choices = verbs,
                               .choice_count = sizeof verbs / sizeof verbs[0]),
                        UUID("id", CHANGE(id)), UUID("actor", CHANGE(actor), NULLABLE),
                        TEXT("before", CHANGE(before), .flags = FIELD_NULLABLE | FIELD_MULTILINE,
                             .most = UINT32_MAX),
                        /* An import makes the first anew, and knows nothing of the others. */
                        NUMBER("previous", NULLABLE), NUMBER("undoes", NULLABLE),
                        NUMBER("follows", NULLABLE)),
            },
        [TABLE_TRASH] =
            {
                .name = "trash",
                .order = "space_id, revision",
                .line = FIELD_NAME("trashed"),
                .lines = FIELD_NAME("trash"),
                .exported = 5,
                .size = sizeof(struct trash_row),
                COLUMNS(UUID("space_id", TRASHED(space_id)),
                        REVISION("revision", 1, TRASHED(revision)),
                        REVISION("root", 1, TRASHED(root)), UUID("id", TRASHED(id)),
                        UUID("parent_id", TRASHED(parent_id), NULLABLE)),
            },
        [TABLE_IDEMPOTENCY_KEYS] =
            {
                .name = "idempotency_keys",
                .order = "used_at, space_id, key",
                COLUMNS(UUID("space_id"), TEXT("key"), BLOB("fingerprint"), TIME("used_at"),
                        CHOICE("outcome"), UUID("id"), NUMBER("revision"), TEXT("body", NULLABLE)),
            },
        [TABLE_SESSIONS] =
            {
                .name = "sessions",
                .order = "user_id, created_at, id",
                COLUMNS(UUID("user_id"), UUID("id"), NUMBER("counter"), TIME("created_at"),
                        TIME("last_used_at"), TIME("expires_at"), BLOB("superseded"), TEXT("ip"),
                        TEXT("user_agent", NULLABLE)),
            },
        [TABLE_SCRIPT_TOKENS] =
            {
                .name = "script_tokens",
                .order = "user_id, created_at, id",
                COLUMNS(UUID("user_id"), UUID("id"), BLOB("hash"), TEXT("name"), NUMBER("scopes"),
                        TIME("created_at"), TIME("last_used_at", NULLABLE),
                        TIME("expires_at", NULLABLE), TEXT("ip", NULLABLE)),
            },
        [TABLE_ACTORS] =
            {
                .name = "actors",
                .order = "user_id, id",
                COLUMNS(UUID("user_id"), UUID("id"), CHOICE("kind"), TIME("ended_at"),
                        TEXT("name", NULLABLE)),
            },
        [TABLE_KNOWN_ADDRESSES] =
            {
                .name = "known_addresses",
                .order = "user_id, ip",
                COLUMNS(UUID("user_id"), TEXT("ip"), TIME("seen_at")),
            },
        /* Nobody's yet: only what copies all of a database takes them along. */
        [TABLE_INVITATIONS] =
            {
                .name = "invitations",
                .order = "hash",
                COLUMNS(BLOB("hash"), TIME("created_at"), TIME("expires_at"),
                        TEXT("email", NULLABLE)),
            },
};

void tables_setup(void)
{
    if (tables[TABLE_ITEMS].name)
        return;
    assert(resource_count > 0 && resource_count <= RESOURCES_MOST);
    for (unsigned i = 0; i < resource_count; i++) {
        const struct resource *resource = resources[i];
        assert(resource->count + 1 < TABLE_COLUMNS_MOST);
        assert(resource->kind > 0 && resource->kind < KINDS_MOST);
        kinds[resource->kind] = resource->name;
        struct table *table = &tables[TABLE_ITEMS + i];
        *table = (struct table){
            .name = resource->collection.ptr,
            .order = "space_id, created_at, id",
            .resource = resource,
            .line = resource->name,
            .lines = resource->collection,
            .exported = resource->count + 1,
            .fits = resource->fits,
            .size = resource->size + sizeof(struct uuid),
            .column_count = resource->count + 1,
            .columns = {UUID("space_id", .at = resource->size)},
        };
        memcpy(&table->columns[1], resource->fields, resource->count * sizeof *resource->fields);
        /* It is copied as it is; what is imported makes its own. */
        if (resource->derived.ptr)
            table->columns[table->column_count++] = (struct field){
                .name = resource->derived, .type = FIELD_TEXT, .flags = FIELD_NULLABLE};
        struct field *revision = &table->columns[table_find(table, SLICE("revision"))];
        revision->least_number = 1;
        revision->most_number = TABLE_REVISION_MOST;
    }
    /* In a line every member stands, whoever sets it, and its text as it was. */
    for (size_t i = 0; i < TABLES_MOST; i++) {
        for (size_t k = 0; k < tables[i].column_count; k++) {
            struct field *column = &tables[i].columns[k];
            column->flags &= ~(unsigned)(FIELD_READ_ONLY | FIELD_NFC | FIELD_LOWER);
            column->flags |= FIELD_REQUIRED;
            column->bit = 1U << k;
        }
    }
}

const struct table *table_next(const struct table *table)
{
    assert(tables[TABLE_ITEMS].name);
    for (table = table ? table + 1 : tables; table < tables + TABLES_MOST; table++) {
        if (table->name)
            return table;
    }
    return NULL;
}

int table_find(const struct table *table, struct slice column)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (slice_eq(table->columns[i].name, column))
            return (int)i;
    }
    return -1;
}
