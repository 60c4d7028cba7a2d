// SPDX-License-Identifier: MIT
#include "store/transfer/digest.h"

#include <endian.h>

void digest_init(struct digest *digest)
{
    assert(digest);
    digest->rows = 0;
    crypto_generichash_init(&digest->state, NULL, 0, DIGEST_LEN / 2);
}

void digest_value(struct digest *digest, bool number, const struct field_value *value)
{
    /* What it is (NULL, number, bytes), and the number or how many bytes follow. */
    unsigned char head[1 + sizeof(uint64_t)] = {value->null ? 0 : number ? 1 : 2};
    const uint64_t word = htobe64(number ? (uint64_t)value->number : value->bytes.len);

    assert(value->null || number || value->bytes.ptr);
    if (!value->null)
        memcpy(head + 1, &word, sizeof word);
    crypto_generichash_update(&digest->state, head, sizeof head);
    if (!value->null && !number)
        crypto_generichash_update(&digest->state, (const unsigned char *)value->bytes.ptr,
                                  value->bytes.len);
}

void digest_row(struct digest *digest, const struct table *table, const struct field_value *values)
{
    for (size_t i = 0; i < table->column_count; i++)
        digest_value(digest, field_is_number(table->columns[i].type), &values[i]);
    digest->rows++;
}

void digest_finish(struct digest *digest, struct digest_sum *sum)
{
    unsigned char bytes[DIGEST_LEN / 2];
    assert(digest->rows >= 0 && sum);
    crypto_generichash_final(&digest->state, bytes, sizeof bytes);
    sodium_bin2hex(sum->text, sizeof sum->text, bytes, sizeof bytes);
    sum->rows = digest->rows;
}
