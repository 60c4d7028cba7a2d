// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_DIGEST_H
#define TASKHOLD_STORE_TRANSFER_DIGEST_H

#include <sodium.h>

#include "store/transfer/table.h"

/* BLAKE2b over the rows of a table in its order, each value with its type and length: the same for
 * the same rows in every engine, and another one for anything that differs. */

#define DIGEST_LEN 32 /* hexadecimal digits */

struct digest {
    crypto_generichash_state state;
    int64_t rows;
};

void digest_init(struct digest *digest);
void digest_row(struct digest *digest, const struct table *table, const struct table_value *values);

/* Writes the digits and a NUL. */
void digest_finish(struct digest *digest, char text[static DIGEST_LEN + 1]);

#endif
