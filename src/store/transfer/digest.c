// SPDX-License-Identifier: MIT
#include "store/transfer/digest.h"

#include <endian.h>

void digest_init(struct digest *digest)
{
    digest->rows = 0;
    crypto_generichash_init(&digest->state, NULL, 0, DIGEST_LEN / 2);
}

static void add_value(struct digest *digest, const struct table_column *column,
                      const struct table_value *value)
{
    const bool number = table_is_number(column);
    /* What it is (NULL, number, bytes), and the number or how many bytes follow. */
    unsigned char head[1 + sizeof(uint64_t)] = {value->null ? 0 : number ? 1 : 2};
    const uint64_t word = htobe64(number ? (uint64_t)value->number : value->bytes.len);

    if (!value->null)
        memcpy(head + 1, &word, sizeof word);
    crypto_generichash_update(&digest->state, head, sizeof head);
    if (!value->null && !number)
        crypto_generichash_update(&digest->state, (const unsigned char *)value->bytes.ptr,
                                  value->bytes.len);
}

void digest_row(struct digest *digest, const struct table *table, const struct table_value *values)
{
    for (size_t i = 0; i < table->column_count; i++)
        add_value(digest, &table->columns[i], &values[i]);
    digest->rows++;
}

void digest_finish(struct digest *digest, char text[static DIGEST_LEN + 1])
{
    unsigned char bytes[DIGEST_LEN / 2];
    crypto_generichash_final(&digest->state, bytes, sizeof bytes);
    sodium_bin2hex(text, DIGEST_LEN + 1, bytes, sizeof bytes);
}
