// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_FIELD_JSON_H
#define TASKHOLD_MODEL_FIELD_JSON_H

#include "model/field.h"

/* Members of the types FIELD_STRINGS, FIELD_UUIDS and FIELD_MAP. What is kept of one is its JSON
 * text in one form: no white space, the fewest escapes, strings and names each once and in the
 * order of their code points. So equal values are equal bytes, a row is answered without a look at
 * them, and a patch of a map is merged by walking both.
 *
 * The patch of a FIELD_MAP is kept in the same form, with `null` for a member that goes; or it is
 * the text `null`: all of them go. */

/* Bytes that its text may have at most. */
size_t field_json_most(const struct field *field);

/* Reads and checks a JSON array or object, and sets the member of `reading->input` unless it is
 * wrong. Returns false when memory ran out. */
bool field_json_read(struct field_reading *reading, const struct field *field,
                     const struct json_member *member) __attribute__((warn_unused_result));

/* The same of a `null` in the patch of a FIELD_MAP. */
void field_json_patch_default(struct field_reading *reading, const struct field *field);

/* Is `text`, which was read from `member`, what an answer would have had in its place? Escapes do
 * not count; ptr NULL is the empty one. */
bool field_json_is_exact(const struct field *field, struct slice text,
                         const struct json_member *member);

enum field_merge {
    FIELD_MERGED,
    FIELD_MERGE_TOO_MANY, /* the map would have more members than it may */
    FIELD_MERGE_DAMAGED,  /* `stored` is no text of a map */
    FIELD_MERGE_NO_MEMORY,
};

/* `*merged`, in `arena`: what the patch of a FIELD_MAP makes of the text that is stored. */
enum field_merge field_json_merge(const struct field *field, struct slice stored,
                                  struct slice patch, struct arena *arena, struct slice *merged);

/* `*replaced`, in `arena`: the text of a FIELD_STRINGS that is stored, with `to` (ptr NULL:
 * nothing) in place of `from`. Both are strings as JSON writes them. */
enum field_merge field_json_replace(struct slice stored, struct slice from, struct slice to,
                                    struct arena *arena, struct slice *replaced);

#endif
