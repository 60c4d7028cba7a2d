// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_JSON_REFUSAL_H
#define TASKHOLD_BASE_JSON_REFUSAL_H

#include "base/json_reader.h"

/* For json_reader.c: the sentence that says why a text is no JSON object, for the person who sent
 * it. `why` has room for JSON_READER_WHY bytes. All return false, so that a scan can end with them.
 */

#define JSON_BYTE_ORDER_MARK SLICE("\xEF\xBB\xBF")

bool json_refusal_say(char why[static JSON_READER_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `The body is not valid JSON at line 2, column 7: WHAT` */
bool json_refusal_at(char why[static JSON_READER_WHY], struct slice text, size_t at,
                     const char *what);

/* What stands at `at` is no value, no name or not what must follow. */
bool json_refusal_unexpected(char why[static JSON_READER_WHY], struct slice text, size_t at,
                             const char *wanted);

/* What opens at `at` is nested too deep. */
bool json_refusal_deep(char why[static JSON_READER_WHY], struct slice text, size_t at);

/* It begins with a byte order mark, or is not UTF-8. */
bool json_refusal_encoding(char why[static JSON_READER_WHY], struct slice text);

/* What begins at `at`, after white space, is no object. `word`: it is true, false or null. */
bool json_refusal_top(char why[static JSON_READER_WHY], struct slice text, size_t at, bool word);

/* The name whose closing quote stands before `end` stands twice in its object. */
bool json_refusal_duplicate(char why[static JSON_READER_WHY], struct slice text, size_t end);

#endif
