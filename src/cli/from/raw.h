// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_RAW_H
#define TASKHOLD_CLI_FROM_RAW_H

#include <jansson.h>

#include "cli/from/intake.h"

/* A large JSON text, value by value: what is large is walked over, and only small parts of it are
 * made a tree of jansson's, one at a time. So a file of 256 MiB needs no more memory than its
 * largest task, and every value has its line. A walk finds where values begin and end; that they
 * are valid is checked where they are read. */

#define RAW_DEPTH      64
#define RAW_VALUE_MOST ((size_t)8 << 20) /* bytes of what is made a tree */

struct raw_walk {
    struct intake *in;
    struct slice text; /* of the object or array */
    size_t at;
    bool object;
    bool begun;
};

/* A value as it stands in the file. */
struct raw_value {
    struct slice text;
};

/* The whole file as one value. */
bool raw_walk_file(struct intake *in, struct slice text, struct raw_value *value)
    __attribute__((warn_unused_result));

bool raw_is(const struct raw_value *value, char begin);

/* Steps through an object or an array; anything else has no members. */
void raw_walk_init(struct raw_walk *walk, struct intake *in, const struct raw_value *value);

/* The next member or element; `name` (may be NULL) as it stands between its quotes. False: there is
 * none, or the intake refused. */
bool raw_walk_next(struct raw_walk *walk, struct slice *name, struct raw_value *value)
    __attribute__((warn_unused_result));

/* The member of that name. False: there is none, or the intake refused. */
bool raw_walk_find(struct intake *in, const struct raw_value *object, struct slice name,
                   struct raw_value *value) __attribute__((warn_unused_result));

/* From 1, in the file that raw_walk_file was given. Costs what lies between this value and the
 * latest one that was asked for. */
size_t raw_line(struct intake *in, const struct raw_value *value);

/* As a tree that the caller gives back with json_decref; NULL: the intake has the result. */
json_t *raw_tree(struct intake *in, const struct raw_value *value)
    __attribute__((warn_unused_result));

/* The same of an object, with those of its members only that are no array and no object: those of a
 * list, whose tasks are large. A name with an escape in it is that of no member we know. */
json_t *raw_small_members(struct intake *in, const struct raw_value *object)
    __attribute__((warn_unused_result));

/* ---- of a tree; all of them take any value, and NULL ---- */

/* ptr NULL: no text. */
struct slice raw_text_of(const json_t *object, const char *name);

/* A text, or a whole number as one, which is in the intake's record: ids are either. */
struct slice raw_id_of(struct intake *in, const json_t *object, const char *name);

bool raw_is_true(const json_t *object, const char *name);

/* Elements of an array; 0: none, or no array. */
size_t raw_count_of(const json_t *object, const char *name);

#endif
