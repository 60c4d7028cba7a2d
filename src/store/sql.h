// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQL_H
#define TASKHOLD_STORE_SQL_H

#include "base/buffer.h"
#include "store/store.h"

/* Statements that both engines run, written down once and expanded when a database is opened.
 *
 * A form is SQL with parameters ?1, ?2 … and words in braces:
 *   {columns} {t}   the members of a resource as columns, in the order of its fields; its table
 *   {derived}       `, COLUMN` where the resource has a derived one
 *   {values:N}      parameters N, N+1 … one for each of those
 *   {created:N}     the same, but the revision is that of a row `s`, the position follows from it,
 *                   and neither is a parameter
 *   {sets:N}        `column = ?N` for each that is not FIELD_FIXED, and the derived one
 *   {chosen}        the time in the id is not created_at: a client chose it, as a rule
 *   {bytes}         what the row takes (decision.h), by its texts
 *   {max}           the greater of two: max or greatest
 *   {octets}        the bytes of a text: octets(x)
 *   {nil}           the id of which all is zero
 *   {elements:C}    the strings of the set that the column C holds, as rows `e` of one `value`
 *   {uuid_key:X}    an id, and
 *   {text_key:X}    its text, in forms that can be compared
 *   {uuid:X} {ms:X} the id that the text X is; the time in the id X, a text or not
 *   {ids:X}         the rows `value` of X, a JSON array of texts or NULL
 *   {holds:X}       whether an item of the id X stands in the JSON text `body`
 *   {trash:SQL}     SQL where the resource has a trash, else nothing
 *   {json:NAME}     the array that is the member NAME of a change's `before`, as a text
 *   {by:INDEX}      after a table: read by that index, where the engine would not see for itself
 *                   that few rows have a parent
 * `types` has a letter a parameter, for an engine that must know: u uuid, i number, t text, b
 * bytes; C stands for those of {columns} and {derived}, S for those of {sets}, N for those of
 * {created}, T for a number where the resource has a trash. */

enum sql_dialect { SQL_SQLITE, SQL_POSTGRES };

struct sql_form {
    const char *text;
    const char *types;
};

/* Accounts, sessions, spaces; the user or the space is the first parameter. An engine's own
 * statements count on from SQL_SHARED_COUNT. */
enum sql_shared {
    SQL_USER_GET,
    SQL_USER_LIST,
    SQL_USER_INSERT,
    SQL_USER_SET_PROFILE,
    SQL_USER_SET_HASH,
    SQL_USER_SET_EMAIL,
    SQL_USER_SET_DISABLED,
    SQL_USER_MARK_DELETED,
    SQL_ADDRESS_KNOWN,
    SQL_ADDRESS_PUT,
    SQL_ADDRESS_PRUNE,
    SQL_ADDRESS_DELETE_ALL,
    SQL_ACTOR_DELETE_ALL, /* after the sessions and tokens, whose ends are noted there */
    SQL_SESSION_CHECK,
    SQL_SESSION_LIST,
    SQL_SESSION_INSERT,
    SQL_SESSION_PRUNE,
    SQL_SESSION_ROTATE,
    SQL_SESSION_DELETE,
    SQL_SESSION_DELETE_OTHERS, /* all zero: all */
    SQL_SCRIPT_TOKEN_OWNER,    /* by the hash of it alone */
    SQL_SCRIPT_TOKEN_CHECK,
    SQL_SCRIPT_TOKEN_ALIVE, /* by its id, as SQL_SESSION_CHECK */
    SQL_SCRIPT_TOKEN_LIST,
    SQL_SCRIPT_TOKEN_COUNT, /* all; and those of the id ?2 */
    SQL_SCRIPT_TOKEN_INSERT,
    SQL_SCRIPT_TOKEN_USE,
    SQL_SCRIPT_TOKEN_DELETE,
    SQL_SCRIPT_TOKEN_DELETE_ALL,
    SQL_INVITATION_DELETE,
    SQL_SPACE_INSERT,
    SQL_SPACE_GET,
    SQL_SPACE_ADD_BYTES,
    SQL_SPACE_FORGET, /* bytes given back; the highest revision that the journal no longer has */
    SQL_SPACE_DELETE,
    SQL_CHANGE_PUT,
    SQL_TRASH_PUT,
    SQL_TRASH_TAKE,
    SQL_TRASH_FORGET,  /* what is older than the journal */
    SQL_TRASH_EMPTY,   /* hides all up to the revision ?2 */
    SQL_TRASH_JSON,    /* what the deletion ?2 has of the task */
    SQL_TRASH_REWRITE, /* that it has ?3 of it */
    SQL_TRASH_LIST, /* before the revision ?2, the newest first, at most ?3: revision, time, JSON */
    /* The task ?2 and what went along with it, out of the trash for good: the changes and the kept
     * answers lose what they have of it, and then it goes. */
    SQL_PURGE_CHANGES,
    SQL_PURGE_ANSWERS,
    SQL_PURGE_TRASH,
    /* The same of the next ?2 tasks of a trash that was emptied; and how many there are and the
     * bytes that they give back; and the end of it. */
    SQL_EMPTIED_NEXT,
    SQL_EMPTIED_BYTES,
    SQL_EMPTIED_CHANGES,
    SQL_EMPTIED_ANSWERS,
    SQL_EMPTIED_TRASH,
    SQL_EMPTIED_END,
    /* What a write of items asks (decision.h): see sql_ask. */
    SQL_ASK_ZONE,
    SQL_ASK_ANCESTORS,
    SQL_ASK_TREE,
    SQL_ASK_SUBTREE,
    SQL_ASK_COPIES,
    SQL_ASK_WHICH,
    SQL_ASK_BLOCKERS,
    SQL_ASK_LIST_COUNT,
    SQL_ASK_LABELLED,
    SQL_ASK_LABEL_COUNT,
    SQL_ASK_TRASH_LABELLED,
    SQL_ASK_LIST_TASKS,
    SQL_ASK_TRASHED,
    SQL_ASK_TRASHED_JSON,
    SQL_ASK_WAITING,
    SQL_ASK_PURGED,
    SQL_ASK_CHANGE,
    SQL_ASK_FOLLOWED,
    SQL_ASK_NEXT,                            /* and those after it, by enum item_place */
    SQL_ASK_PREVIOUS = SQL_ASK_NEXT + 4,     /* likewise */
    SQL_ASK_SIBLINGS = SQL_ASK_PREVIOUS + 4, /* likewise */
    SQL_KEY_GET = SQL_ASK_SIBLINGS + 4,
    SQL_KEY_PUT,
    /* labels, and what all tasks come to; a row of the first has the space's revision first, and
     * without labels there is one in which the others are null */
    SQL_LABEL_LIST, /* those after ?2, at most ?3 */
    SQL_TRASHED,    /* revision of the deletion of a task in the trash, by its id */
    SQL_HISTORY,    /* the chain of changes from the revision ?2 back, at most ?3 rows, and those
                       after ?4 bytes not: revision, at, verb, actor, before, previous, undoes;
                       whether it is a token, its name */
    SQL_SUMMARY,    /* ?2 to ?7: days_packed of what is overdue, of today, and of tomorrow */
    /* removing what a deleted account left, at most ?2 rows; then the account itself */
    SQL_DELETED_NEXT,
    SQL_DELETED_JOURNAL,
    SQL_DELETED_TRASH,
    SQL_DELETED_KEYS,
    SQL_DELETED_USER,
    SQL_SHARED_COUNT,
};

extern const struct sql_form sql_shared[SQL_SHARED_COUNT];

/* The columns of an answer: id, created_at, revision, number, parent_id, list_id, position; as
 * struct item_row has them. The statement of a question that has one: all but ITEM. */
struct item_ask;
unsigned sql_ask(const struct item_ask *ask);

/* Of each resource. */
enum sql_item {
    SQL_ITEM_GET,      /* space, id, the time in the id */
    SQL_ITEM_GET_MADE, /* the same of an id that the server made: half the work, where another try
                          costs no round trip */
    SQL_ITEM_INSERT,
    SQL_ITEM_UPDATE,      /* space; created_at, id and revision that were read; then {sets} */
    SQL_ITEM_DELETE,      /* space; created_at, id and revision that were read */
    SQL_ITEM_REMOVE_SOME, /* of a deleted account, at most ?2 rows */
    SQL_ITEM_COUNT,
};

extern const struct sql_form sql_items[SQL_ITEM_COUNT];

/* Appends the form in the engine's own words, without a NUL. `resource` NULL: it names none. */
void sql_expand(struct buffer *out, const char *form, const struct resource *resource,
                enum sql_dialect dialect);

/* Appends the letters of `types` with C, S, N and T spelled out, without a NUL. */
void sql_expand_types(struct buffer *out, const char *types, const struct resource *resource);

/* Appends what {holds:X} is: the JSON of an item has its id first. */
void sql_add_holds(struct buffer *out, struct slice id, enum sql_dialect dialect);

/* Appends `?1` or `$1`. */
void sql_add_parameter(struct buffer *out, unsigned number, enum sql_dialect dialect);

/* A member's letter. */
extern const char sql_letters[];
#define SQL_LETTER(field) (sql_letters[(field)->type])

/* Appends a statement that counts the usage of every space anew, after an import has filled the
 * tables. */
void sql_recount(struct buffer *out, enum sql_dialect dialect);

/* Appends one that makes the chains of changes (`previous` of the journal), which no export has. */
void sql_chain(struct buffer *out);

/* ---- lists ---- */

/* A list's text depends on its shape only: the resource, the orders, the position and the terms,
 * but for what is bound. Equal bytes are equal shapes. */
#define SQL_SHAPE_LEN (4 + 3 * STORE_ORDERS_MOST + 2 * STORE_TERMS_MOST)
void sql_list_shape(const struct store_item_list *op, uint8_t shape[static SQL_SHAPE_LEN]);

/* Appends the table, with the lists where they are an order. */
void sql_list_from(struct buffer *out, const struct store_item_list *op, enum sql_dialect dialect);

/* Appends ` WHERE space_id = ?1 AND …`. ?2 is the limit; from ?3 on stand the values that
 * sql_list_values gives. `after`: with the position; without it is what a total counts. */
void sql_list_where(struct buffer *out, const struct store_item_list *op, bool after,
                    enum sql_dialect dialect);

/* Appends ` ORDER BY …` of the columns and what is computed of them. */
void sql_list_order(struct buffer *out, const struct store_item_list *op, enum sql_dialect dialect);

/* What is compared one after the other in the orders of a list: how many there are, and the
 * expression of one. `*null`: it may be null. */
#define SQL_KEYS_MOST (2 * STORE_ORDERS_MOST)
unsigned sql_list_keys(const struct store_item_list *op);
bool sql_list_add_key(struct buffer *out, const struct store_item_list *op, unsigned key,
                      enum sql_dialect dialect);
bool sql_list_descends(const struct store_item_list *op, unsigned key);

/* Is it the order of creation alone, the one that has an index? */
bool sql_list_is_in_order(const struct store_item_list *op);

/* The position of a row's list, as a column after the members, of a list that is ordered by it. */
#define SQL_LIST_PLACE "list_place"
bool sql_list_has_place(const struct store_item_list *op);
void sql_list_add_place(struct buffer *out, enum sql_dialect dialect);

/* Values from ?3 on, with their types. Returns how many. The runs are one blob of struct days_run;
 * an engine that cannot read that binds `runs` parameters in its place. */
#define SQL_LIST_VALUES_MOST   (2 * STORE_TERMS_MOST + SQL_KEYS_MOST + 3)
#define SQL_LIST_RUNS_SQLITE   1
#define SQL_LIST_RUNS_POSTGRES 2 /* their days and their offsets, as arrays of int4 */
struct sql_value {
    char type; /* u, i, t, b, or a: an array of int4 */
    struct field_value value;
};

/* Values to bind. Bytes are not copied. */
#define SQL_I64(n)          ((struct sql_value){'i', {.number = (n)}})
#define SQL_TIME(ms)        ((struct sql_value){'i', {.null = (ms) == 0, .number = (ms)}}) /* 0: NULL */
#define SQL_OPTIONAL_I64(n) SQL_TIME(n) /* likewise */
#define SQL_UUID(id)                                                                               \
    ((struct sql_value){'u', {.bytes = {(const char *)(id)->bytes, sizeof(struct uuid)}}})
#define SQL_OPTIONAL_UUID(id) /* all zero: NULL */                                                 \
    ((struct sql_value){'u',                                                                       \
                        {.null = uuid_eq(*(id), (struct uuid){{0}}),                               \
                         .bytes = {(const char *)(id)->bytes, sizeof(struct uuid)}}})
#define SQL_TEXT(text) /* ptr NULL: NULL */                                                        \
    ((struct sql_value){'t', {.null = !(text).ptr, .bytes = (text)}})
/* Of a user, where UTC takes no room: NULL. */
#define SQL_ZONE(name)                                                                             \
    ((struct sql_value){'t', {.null = slice_eq((name), SLICE(ZONE_UTC)), .bytes = (name)}})
#define SQL_BLOB(blob, size)                                                                       \
    ((struct sql_value){'b', {.bytes = {(const char *)(const void *)(blob), (size)}}})
unsigned sql_list_values(const struct store_item_list *op,
                         struct sql_value values[static SQL_LIST_VALUES_MOST]);

/* ---- writes by a filter ---- */

/* Appends the text that finds what the terms of a list without an order say, at most ?2 rows: id,
 * created_at, parent_id, and whether the terms found it. `below`: also all that is below that, so
 * one may come twice. The other parameters are those of sql_list_where. */
void sql_filter_find(struct buffer *out, const struct store_item_list *op, bool below,
                     enum sql_dialect dialect);

/* Appends the text that counts them, each once; it has no ?2. */
void sql_filter_count(struct buffer *out, const struct store_item_list *op, bool below,
                      enum sql_dialect dialect);

/* The parameters of sql_ask(ask); returns how many. */
#define SQL_ASK_VALUES_MOST 4
unsigned sql_ask_values(const struct item_ask *ask, const struct uuid *space,
                        struct sql_value values[static SQL_ASK_VALUES_MOST]);

#endif
