// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_FIELD_NAME_H
#define TASKHOLD_HTTP_FIELD_NAME_H

#include "http/message.h"

/* Names of header fields as numbers: those of enum http_field, and those that only the parser
 * itself needs. */
enum {
    FIELD_NAME_CONTENT_LENGTH = HTTP_FIELD_COUNT,
    FIELD_NAME_TRANSFER_ENCODING,
    FIELD_NAME_CONNECTION,
    FIELD_NAME_EXPECT,
    FIELD_NAME_OTHER,
};

/* The number of `name`, which is a token of at least one character, in any case. */
unsigned field_name_find(struct slice name);

#endif
