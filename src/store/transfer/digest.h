// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_DIGEST_H
#define TASKHOLD_STORE_TRANSFER_DIGEST_H

#include <sodium.h>

#include "store/transfer/table.h"

/* BLAKE2b over the values of rows, each with its type and length: the same for the same rows in
 * the same order, whatever engine keeps them, and another one for anything that differs. */

#define DIGEST_LEN 32 /* hexadecimal digits */

struct digest {
    crypto_generichash_state state;
    int64_t rows;
};

/* What a digest came to. */
struct digest_sum {
    int64_t rows;
    char text[DIGEST_LEN + 1];
};

void digest_init(struct digest *digest);

/* The next value of a row. */
void digest_value(struct digest *digest, bool number, const struct field_value *value);

/* The next row, of a table of table.h. */
void digest_row(struct digest *digest, const struct table *table, const struct field_value *values);

void digest_finish(struct digest *digest, struct digest_sum *sum);

static inline bool digest_sum_eq(const struct digest_sum *a, const struct digest_sum *b)
{
    return a->rows == b->rows && strcmp(a->text, b->text) == 0;
}

#endif
