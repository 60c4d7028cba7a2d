// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_FIELD_H
#define TASKHOLD_MODEL_FIELD_H

#include "base/arena.h"
#include "base/json_reader.h"
#include "base/json_writer.h"

/* A resource is an array of these, one row a member. The same rows read a body, check it, read a
 * merge patch and write the answer, so that no other place names a member twice. */

enum field_type {
    FIELD_TEXT,   /* struct slice; ptr NULL: null */
    FIELD_CHOICE, /* an enum that counts from 0, by name */
    FIELD_UUID,   /* struct uuid; written only */
    FIELD_TIME,   /* int64_t, milliseconds since 1970; written only; 0: null if FIELD_NULLABLE */
    FIELD_NUMBER, /* int64_t; written only */
};

enum field_flag {
    FIELD_READ_ONLY = 1,  /* a client cannot set it: `read_only` in a body */
    FIELD_REQUIRED = 2,   /* must be in a whole body and cannot be cleared by a patch */
    FIELD_NULLABLE = 4,   /* may be null */
    FIELD_MULTILINE = 8,  /* TAB, LF and CR are allowed */
    FIELD_NOT_BLANK = 16, /* holds more than white space */
    FIELD_SECRET = 32,    /* wiped from the reader's memory; any character is allowed */
    FIELD_BYTES = 64,     /* `most` counts bytes, not code points */
    FIELD_NFC = 128, /* normalised first (base/utf8.h) unless it is above UTF8_NORMALIZE_MOST */
    FIELD_NOT_EMPTY = 256,
};

struct field {
    struct slice name;
    enum field_type type;
    unsigned flags;
    uint32_t most; /* length of a text */
    size_t input;  /* offset in the struct that a body is read into */
    size_t row;    /* offset in the struct that an answer is written from */
    unsigned bit;  /* in the mask of members that a body had */
    const struct slice *choices;
    unsigned choice_count;
    const char *(*wrong)(
        struct slice text); /* one more rule: what is wrong, or NULL; may be NULL */
    const char *wrong_code;
    const char *elsewhere; /* of a read-only member: where it can be changed, or NULL */
};

/* Initialises a slice in a static table. */
#define FIELD_NAME(literal)                                                                        \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

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

enum field_mode {
    FIELD_WHOLE, /* required members must be there; absent ones keep what `input` has */
    FIELD_PATCH, /* a merge patch (RFC 7396): absent keeps, null clears */
};

struct field_reading {
    const struct field *fields;
    size_t count;
    enum field_mode mode;
    struct arena *arena;        /* texts and error texts are copied here */
    void *input;                /* out: members that are there and valid */
    unsigned set;               /* out: the bits of the members that are there */
    struct field_errors errors; /* out */
};

/* Reads every member of `reader`. Returns false when memory ran out; what is not valid goes to
 * `errors`. */
bool field_read(struct field_reading *reading, struct json_reader *reader)
    __attribute__((warn_unused_result));

/* Writes the members of `row`, without braces. */
void field_write(const struct field *fields, size_t count, const void *row, struct json_writer *w);

#endif
