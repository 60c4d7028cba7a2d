// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_FIELD_H
#define TASKHOLD_MODEL_FIELD_H

#include <assert.h>

#include "base/arena.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/uuid.h"
#include "model/zone.h"

/* What a member is stands in one row of a table of these. The same rows read a body, check it, read
 * a merge patch, write the answer, and bind and take the columns of a database, so that no other
 * place names a member twice. */

enum field_type {
    FIELD_TEXT,   /* struct slice; ptr NULL: null */
    FIELD_CHOICE, /* an enum that counts from 0, by name; FIELD_NULL_CHOICE: null */
    FIELD_BOOL,   /* unsigned, 0 or 1; FIELD_NULL_CHOICE: null */
    FIELD_UUID,   /* struct uuid; all zero: null */
    FIELD_TIME,   /* int64_t, milliseconds since 1970; 0: null if FIELD_NULLABLE */
    FIELD_NUMBER, /* int64_t; FIELD_NULL_NUMBER: null */
    FIELD_WHEN,   /* int64_t of when_pack (model/when.h); FIELD_NULL_NUMBER: null */

    /* A struct slice that holds the canonical JSON text, and is never null (model/field_json.h): */
    FIELD_STRINGS, /* a set of strings, in the order of their code points */
    FIELD_UUIDS,   /* ids, each once, in the order in which they came */
    FIELD_MAP,     /* members of the client's own, whose values are strings */
};

#define FIELD_NULL_CHOICE UINT32_MAX
#define FIELD_NULL_NUMBER INT64_MIN

enum field_flag {
    FIELD_READ_ONLY = 1,   /* a client cannot set it: `read_only` in a body */
    FIELD_REQUIRED = 2,    /* must be in a whole body and cannot be cleared by a patch */
    FIELD_NULLABLE = 4,    /* may be null */
    FIELD_MULTILINE = 8,   /* TAB, LF and CR are allowed */
    FIELD_NOT_BLANK = 16,  /* holds more than white space */
    FIELD_SECRET = 32,     /* wiped from the reader's memory; any character is allowed */
    FIELD_BYTES = 64,      /* `most` counts bytes, not code points */
    FIELD_NFC = 128,       /* normalised first (base/nfc.h) unless it is above NFC_MOST */
    FIELD_NOT_EMPTY = 256, /* of a text, or of STRINGS */
    FIELD_LOWER = 65536,   /* its letters of ASCII are made small first */

    /* Of a resource's member: */
    FIELD_FIXED = 512,       /* never changes once the item was made: no UPDATE sets it */
    FIELD_STAMP = 1024,      /* changes with every change; the journal does not keep it */
    FIELD_SORTABLE = 2048,   /* a list may be ordered by it */
    FIELD_FILTERABLE = 4096, /* a list may be asked for some of its values */

    /* A key of model/position.h: a new item stands at the end, by the number of its revision, which
     * is above all that came before; unless whoever makes it says otherwise. */
    FIELD_POSITION = 16384,

    FIELD_DISTINCT = 131072, /* of STRINGS: one that is repeated is a fault */

    FIELD_ZONE = 32768, /* of a text: the name of a time zone; see field_reading.zones */

    /* Of a column that no item has (store/transfer/table.h): */
    FIELD_BLOB = 8192, /* a text that is any bytes, and stands in no JSON */
};

struct field {
    struct slice name;
    enum field_type type;
    unsigned flags;
    uint32_t most; /* of a text: its length; of STRINGS and MAP: that of one string */
    uint32_t
        most_items; /* of STRINGS, UUIDS and MAP; of STRINGS and UUIDS at most FIELD_ITEMS_MOST */
    uint32_t most_name; /* of MAP: code points of a name */
    size_t at;    /* offset in the struct that a body is read into, or an answer written from */
    unsigned bit; /* in the mask of members that a body had; 0: read-only */
    const struct slice *choices; /* ptr NULL: that number is none */
    unsigned choice_count;
    unsigned
        own_bits;         /* of a CHOICE: bits of its number, above those of the choices, that no
                             client    sees or sets: they stay as they are when another choice is set */
    int64_t least_number; /* of FIELD_NUMBER; both 0: any */
    int64_t most_number;
    int64_t initial; /* of CHOICE, BOOL and NUMBER: what it is by default, if that is not null */
    const char *(*wrong)(
        struct slice text); /* one more rule: what is wrong, or NULL; may be NULL */
    const char *wrong_code;
    const char *elsewhere; /* of a read-only member: where it can be changed, or NULL */
};

#define FIELD_ITEMS_MOST 64

/* Bytes of a JSON text at most, for resource.h: in a set no control character stands, so a code
 * point takes up to 4; one of a map may be \u0001. */
#define FIELD_STRINGS_MOST(items, most) (2 + (size_t)(items) * ((size_t)(most)*4 + 3))
#define FIELD_UUIDS_MOST(items)         (2 + (size_t)(items) * (UUID_TEXT_LEN + 3))
#define FIELD_MAP_MOST(items, name, most)                                                          \
    (2 + (size_t)(items) * (((size_t)(name) + (most)) * 6 + 6))

/* Initialises a slice in a static table. */
#define FIELD_NAME(literal)                                                                        \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* NULL: there is none of that name. */
const struct field *field_named(const struct field *fields, size_t count, struct slice name);

/* Adds a name, or all choices of a field, to a list for people: `a, b, c`. Begin with "". What has
 * no room is cut. */
#define FIELD_NAMES_MOST 240
void field_add_name(struct slice name, char names[static FIELD_NAMES_MOST]);
void field_add_choices(const struct field *field, char names[static FIELD_NAMES_MOST]);

/* ---- texts ---- */

/* What may stand in a text that a person wrote. Pure functions over UTF-8 (RFC 3629). */

struct text_facts {
    size_t code_points;
    bool line_control;  /* TAB, LF or CR */
    bool other_control; /* any other of C0, DEL and C1 */
    bool blank; /* nothing but white space (Unicode property White_Space) and U+FEFF, or empty */
};

/* `text` is valid UTF-8. */
struct text_facts text_look(struct slice text);

/* ---- the value of one member, as databases and exports know it ---- */

struct field_value {
    bool null;
    int64_t number;     /* of CHOICE, BOOL, TIME, NUMBER and WHEN */
    struct slice bytes; /* of the others; of UUID 16 bytes; ptr is not NULL unless null. What is
                           empty of a set or a map is null to a database, where it takes no room. */
};

/* Is its value the `number` of a field_value? And one of a few? */
bool field_is_number(enum field_type type);
bool field_is_choice(enum field_type type);

/* Is it a text to a database: UTF-8 in a struct slice? And one that is JSON? */
bool field_is_text(enum field_type type);
bool field_is_json(enum field_type type);

/* Of one that is JSON: `[]` or `{}`. */
struct slice field_empty_json(enum field_type type);

/* Is it a text whose bytes count for what a space holds? A position is the server's own business.
 */
bool field_has_bytes(const struct field *field);

/* Bytes that a member of such a type may have at most: a code point has no more than 4, and what
 * JSON escapes of a FIELD_TEXT is shorter than that. */
size_t field_text_most(const struct field *field);

/* Borrows the bytes of `item`. */
struct field_value field_get(const struct field *field, const void *item);

/* `value` is of the field's type: a number that is no choice of it, or bytes that are no UUID, are
 * damage: false, and nothing is set. Texts stay borrowed. */
bool field_set(const struct field *field, void *item, const struct field_value *value)
    __attribute__((warn_unused_result));

/* Sets what a member has that nobody gave: null, or `initial`, or what is empty. */
void field_set_default(const struct field *field, void *item);

/* Which of up to 32 members have what field_set_default sets: that of `fields[i]` is the bit
 * `1U << i`. One that has no default is none of them. */
unsigned field_defaults(const struct field *fields, size_t count, const void *item);

/* Is its default null to a database? */
bool field_is_null_at_first(const struct field *field);

/* Null and the empty text are two values. */
bool field_value_eq(const struct field *field, const struct field_value *a,
                    const struct field_value *b);

/* What a query or an export writes of a value that is one word: `in-progress`, `true`, a UUID, an
 * RFC 3339 time, a date, a number; or a text. False: it is none. `id` keeps the bytes of a UUID. */
bool field_parse(const struct field *field, struct slice text, struct uuid *id,
                 struct field_value *value) __attribute__((warn_unused_result));

/* ---- reading a body ---- */

#define FIELD_ERRORS 32

struct field_error {
    struct slice pointer; /* JSON Pointer (RFC 6901) */
    const char *code;
    const char *detail;
};

/* All that is wrong with one body, in the order of its members. Start from {0}. */
struct field_errors {
    struct field_error list[FIELD_ERRORS];
    unsigned count;
    bool overflow;
};

void field_errors_add(struct field_errors *errors, struct slice pointer, const char *code,
                      const char *detail);

/* Writes what is wrong as sentences for people, each after the name of its member: what has no room
 * is cut. Returns the length. */
size_t field_errors_say(const struct field_errors *errors, char *text, size_t size);

enum field_mode {
    FIELD_WHOLE, /* required members must be there; absent ones keep what `input` has */
    FIELD_SOME,  /* the same, but nothing is required */
    FIELD_PATCH, /* a merge patch (RFC 7396): absent keeps, null sets the default; what is said of a
                    FIELD_MAP is still to be merged (resource_merge) */
};

struct field_reading {
    const struct field *fields;
    size_t count;
    enum field_mode mode;
    struct arena *arena;        /* texts and error texts are copied here */
    struct zones *zones;        /* that a FIELD_ZONE must name one of; NULL: any name is taken */
    void *input;                /* out: members that are there and valid */
    unsigned set;               /* out: the bits of the members that are there */
    struct field_errors errors; /* out */
    struct slice
        part; /* what is looked at of a member: its place or its name; ptr NULL: all of it */
};

/* Reads every member of `reader`. Returns false when memory ran out, or a time zone could not be
 * looked for; what is not valid goes to `errors`. May touch the disk, as zones_find. */
bool field_read(struct field_reading *reading, struct json_reader *reader)
    __attribute__((warn_unused_result));

/* Notes what the rules of the field find wrong with a text: its length, its characters. Returns
 * false when memory ran out. */
bool field_check_text(struct field_reading *reading, const struct field *field, struct slice text)
    __attribute__((warn_unused_result));

/* ---- writing an answer ---- */

/* Writes the value of one member, without its name. */
void field_write_value(const struct field *field, const void *item, struct json_writer *w);

/* Writes all members, without braces. */
void field_write(const struct field *fields, size_t count, const void *item, struct json_writer *w);

#endif
