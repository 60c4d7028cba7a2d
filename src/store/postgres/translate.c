// SPDX-License-Identifier: MIT
#include "store/postgres/translate.h"

#include <stddef.h>
#include <string.h>

/* Tried from top to bottom; a class of two characters stands after the codes that it has. */
static const struct {
    const char *code;
    struct translation means;
} rows[] = {
    /* Two writers met: serialization, deadlock, a lock not had in time, a key of another's; the
     * last is an error of ours when it stays. */
    {"40001", {.error = ERROR_OVERLOADED, .again = true}},
    {"40P01", {.error = ERROR_OVERLOADED, .again = true}},
    {"55P03", {.error = ERROR_OVERLOADED, .again = true}},
    {"23505", {.error = ERROR_INTERNAL_ERROR, .again = true}},

    /* The plan of a prepared statement is gone or grew old under a change of the schema. */
    {"26000", {.error = ERROR_UNAVAILABLE, .again = true, .discard = true}},
    {"0A000", {.error = ERROR_UNAVAILABLE, .again = true, .discard = true}},

    /* Too much at once: the statement's time, the server's memory. */
    {"57014", {.error = ERROR_OVERLOADED}},
    {"53200", {.error = ERROR_OVERLOADED}},
    {"53100", {.error = ERROR_STORAGE_FULL}},

    /* The server goes, is not there yet, takes no writes, or has ended the connection. */
    {"57P", {.error = ERROR_UNAVAILABLE, .discard = true}},
    {"08", {.error = ERROR_UNAVAILABLE, .discard = true}},
    {"25006", {.error = ERROR_UNAVAILABLE, .discard = true}},
    {"25P03", {.error = ERROR_UNAVAILABLE, .discard = true}},
    {"53300", {.error = ERROR_UNAVAILABLE, .discard = true}},
};

struct translation translate(const char *sqlstate)
{
    if (!sqlstate)
        return (struct translation){.error = ERROR_UNAVAILABLE, .discard = true};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(sqlstate, rows[i].code, strlen(rows[i].code)) == 0)
            return rows[i].means;
    }
    return (struct translation){.error = ERROR_INTERNAL_ERROR};
}
