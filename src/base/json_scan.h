// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_JSON_SCAN_H
#define TASKHOLD_BASE_JSON_SCAN_H

#include "base/slice.h"

/* Looks whether a text is one JSON object (RFC 8259), before a parser that recurses and allocates
 * sees it, and says what is wrong with it and where, in words for the person who sent it. Duplicate
 * names are the parser's business. */

#define JSON_SCAN_DEPTH  16   /* levels of nesting */
#define JSON_SCAN_TOKENS 4096 /* members, elements and brackets */
#define JSON_SCAN_WHY    320  /* bytes of a sentence, NUL included */

/* Where a byte is, for people: both from 1; columns are code points. */
struct json_place {
    size_t line;
    size_t column;
};
struct json_place json_place_of(struct slice text, size_t at);

/* Returns false with one sentence in `why`, which repeats nothing of `text` but single ASCII
 * characters. `*huge`: the text has numbers beyond what 64 bits hold, as an integer or as a
 * double. */
bool json_scan(struct slice text, bool *huge, char why[static JSON_SCAN_WHY])
    __attribute__((warn_unused_result));

/* Overwrites those numbers, in a text that was scanned, with one that is no integer and has as many
 * bytes: whoever reads it finds a number, and none that fits an integer. */
void json_scan_mend(char *text, size_t len);

#endif
