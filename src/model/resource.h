// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_RESOURCE_H
#define TASKHOLD_MODEL_RESOURCE_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/field.h"

/* One description of a resource: a thing that a space holds many of, under /v1/COLLECTION. From it
 * come the reading and checking of bodies, merge patch, answers, the statements of both engines,
 * orders and filters of lists, cursors, the journal, export and move. A new member is a member of
 * the struct, a row of `fields`, and a column in a migration of each engine (on PostgreSQL a CHOICE
 * or BOOL is a smallint, a NUMBER, TIME or WHEN a bigint; STRINGS, UUIDS and MAP are texts, NULL
 * when they are empty); a new resource is a descriptor in `resources`, tables, rows of routes and
 * its part of api/openapi.yaml. */

/* Every item begins with these; a struct of an item repeats them in this order. */
#define ITEM_MEMBERS                                                                               \
    struct uuid id;                                                                                \
    int64_t created_at; /* milliseconds since 1970 */                                              \
    int64_t updated_at;                                                                            \
    int64_t revision /* of the last change; from the space's one counter, from 1 */

struct item {
    ITEM_MEMBERS;
};

#define ITEM_ASSERT(type)                                                                          \
    static_assert(offsetof(type, id) == offsetof(struct item, id) &&                               \
                      offsetof(type, created_at) == offsetof(struct item, created_at) &&           \
                      offsetof(type, updated_at) == offsetof(struct item, updated_at) &&           \
                      offsetof(type, revision) == offsetof(struct item, revision),                 \
                  "an item begins with ITEM_MEMBERS")

#define RESOURCE_FIELDS_MOST 32 /* as many bits as a mask of members has */

/* Where the row of a space counts tasks, by their status, and lists. */
enum {
    RESOURCE_COUNT_TASKS = 0,
    RESOURCE_COUNT_LISTS = 3,
    RESOURCE_COUNTS,
};

/* What an item must be to be listed. */
enum list_filter {
    LIST_IS,     /* of CHOICE and BOOL: some of the values; of the others: one value, or none */
    LIST_IN,     /* of UUID: some ids, or none */
    LIST_THERE,  /* whether it has a value */
    LIST_BEFORE, /* of TIME and WHEN: a moment that the value is before; null is not */
    LIST_FROM,   /* and one that it is not before; null is not that either */
    LIST_ANY_OF, /* of STRINGS: some, of which it has one */
    LIST_ALL_OF, /* all of which it has */
    LIST_SEARCH, /* words (base/fold.h) */
    /* Of a task only, and whether it is: */
    LIST_OVERDUE,
    LIST_READY,
    LIST_BLOCKED,
    LIST_ARCHIVED,
};

/* A parameter of the list, beside the names of members that are FIELD_FILTERABLE. */
struct resource_filter {
    struct slice name;
    enum list_filter filter;
    const struct field *field; /* NULL: it looks at more than one member */
    struct slice no; /* of LIST_IN: the word for those that have none; else for false and true */
    struct slice yes;
};

/* How items are ordered by a member. Null comes last in both directions. */
enum list_order {
    LIST_BY_VALUE,
    LIST_BY_FOLDED, /* of TEXT: without case and accents (base/fold.h), then by its code points */
    LIST_BY_START,  /* of WHEN: a date stands at the begin of its day in a zone */
    LIST_BY_DUE,    /* the same, at the end of its day */
    LIST_BY_LIST,   /* of UUID: by the position of the list that it names, then by the id */
};

/* A name to order by, beside those of members that are FIELD_SORTABLE; or of such a one, when it is
 * not simply by value. */
struct resource_order {
    struct slice name;
    enum list_order order;
    const struct field *field;
};

struct zone;

/* A change of one item, while it is being decided. */
struct settling {
    const void *before; /* NULL: it is new */
    void *after;
    unsigned given; /* the members that the client gave a value itself, as a mask */
    int64_t now;
    const struct zone *zone;          /* the item's; NULL: UTC */
    struct field_reading *complaints; /* errors go there (field_errors.h) */
};

struct resource {
    struct slice name;       /* `task`: one of them, in exports and texts */
    struct slice collection; /* `tasks`: the table, and the last part of the path */
    int kind;                /* its number in the journal, from 1; never changes */

    /* In the order of an answer. The name of a member is the name of its column. */
    const struct field *fields;
    size_t count;
    size_t size;      /* of the item's struct */
    size_t text_most; /* bytes that the texts of one may have in all: the sum of field_text_most */

    /* Of a list that says none, as `sort` has it; ptr NULL: the newest first. */
    struct slice order;

    int64_t most; /* in one space; 0: what the operator allows of those that are `counted` */

    /* The row of a space counts its items (store/decision.h): in so many places from `count_at` on,
     * by the choices of `counted`, or (NULL) all in one; 0: it does not. */
    unsigned count_at;
    unsigned count_places;
    const struct field *counted;

    /* How lists are filtered and ordered beside what the flags of the members say. */
    const struct resource_filter *filters;
    size_t filter_count;
    const struct resource_order *orders;
    size_t order_count;

    /* A column that follows from the texts of an item and stands in no answer: what `derive`
     * appends; nothing: NULL. ptr NULL: there is none. A pure function. */
    struct slice derived;
    void (*derive)(const void *item, struct buffer *out);

    /* What follows from a change: sets the members that are the item's own business, and complains
     * of those that do not go together. Called after the client's members were applied, when any
     * differs. False without memory. A pure function; may be NULL. */
    bool (*settle)(const struct settling *settling);

    /* Whether the members of one go together, as `settle` leaves them: for items that come from
     * elsewhere. A pure function; may be NULL: any do. */
    bool (*fits)(const void *item);
};

/* All that there are, in the order of their tables: what an item refers to comes before it. */
extern const struct resource *const resources[];
extern const unsigned resource_count;
#define RESOURCES_MOST 8

/* The place of a resource in `resources`. */
unsigned resource_index(const struct resource *resource);

/* NULL: there is none of that name. */
const struct resource *resource_named(struct slice name);

/* NULL: there is none of that number in the journal. */
const struct resource *resource_of_kind(int kind);

/* The member of that name; NULL: there is none. */
const struct field *resource_field(const struct resource *resource, struct slice name);

/* A new item in which every member has its default (field_set_default). `item` has `resource->size`
 * bytes. */
void resource_clear(const struct resource *resource, void *item);

/* Sets the members of `set` to those of `values`, and says which of them differ. In such a mask the
 * member `fields[i]` is the bit `1U << i`. Nothing else is touched; texts stay borrowed. */
unsigned resource_apply(const struct resource *resource, void *item, const void *values,
                        unsigned set);

/* To be called before resource_apply when `values` were read from a merge patch: a FIELD_MAP has
 * only what is to change of it. Then `*values` becomes a copy, in `arena`, in which it is what
 * comes of the item's own. `*errors`, in `arena` too: what is wrong with that; NULL: nothing. Any
 * other error than ERROR_NONE: it could not be done. */
enum error resource_merge(const struct resource *resource, const void *item, const void **values,
                          unsigned set, struct arena *arena, const struct field_errors **errors)
    __attribute__((warn_unused_result));

/* Gives a new item the last place, by the number of its revision (FIELD_POSITION). False without
 * memory. */
bool resource_put_last(const struct resource *resource, void *item, int64_t revision,
                       struct arena *arena) __attribute__((warn_unused_result));

/* Which members differ between two items. */
unsigned resource_differ(const struct resource *resource, const void *a, const void *b);

/* The mask of all members that a client sets. */
unsigned resource_settable(const struct resource *resource);

/* The value of the derived column; its bytes are those of `out`, which is initialised here, and
 * finished by the caller. False without memory. */
bool resource_derive(const struct resource *resource, const void *item, struct buffer *out,
                     struct field_value *value) __attribute__((warn_unused_result));

/* Bytes of the texts of an item, but for its position. */
size_t resource_text_bytes(const struct resource *resource, const void *item);

/* The JSON object of the members of `mask`: the same item always gives the same bytes; at most
 * resource_json_most() of them. */
#define RESOURCE_ALL UINT32_MAX
void resource_encode(const struct resource *resource, const void *item, unsigned mask,
                     struct json_writer *w);
size_t resource_json_most(const struct resource *resource);

/* The same read back: `values` becomes a new item with the members that the object has, whoever
 * sets them, and `*set` the mask of those. No rule is judged anew. Texts live in `arena`. Else
 * ERROR_INTERNAL_ERROR: it is no such object; or ERROR_OVERLOADED: there is no memory. */
enum error resource_decode(const struct resource *resource, struct slice json, void *values,
                           unsigned *set, struct arena *arena) __attribute__((warn_unused_result));

#endif
