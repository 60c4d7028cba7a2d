// SPDX-License-Identifier: MIT
#include "auth/script_token.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#define PREFIX_LEN  (sizeof SCRIPT_TOKEN_PREFIX - 1)
#define RANDOM_LEN  39
#define CHECK_LEN   4
#define CHECK_COUNT 14776336U /* 62^4 */

_Static_assert(PREFIX_LEN + RANDOM_LEN + CHECK_LEN == SCRIPT_TOKEN_LEN, "the length");
_Static_assert(crypto_hash_sha256_BYTES == SCRIPT_TOKEN_HASH_LEN, "the length");

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define BASE (sizeof digits - 1)

/* CRC-32 of IEEE 802.3: reflected, begun with ones and inverted at the end. Bit by bit: it is
 * asked for a few bytes where a token is not known yet. */
static uint32_t crc32_of(const char *text, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320U : 0);
        }
    }
    return ~crc;
}

static void write_check(const char *random, char check[static CHECK_LEN])
{
    uint32_t rest = crc32_of(random, RANDOM_LEN) % CHECK_COUNT;
    for (size_t i = CHECK_LEN; i-- > 0;) {
        check[i] = digits[rest % BASE];
        rest /= BASE;
    }
}

void script_token_make(char text[static SCRIPT_TOKEN_LEN + 1],
                       uint8_t hash[static SCRIPT_TOKEN_HASH_LEN])
{
    char *random = text + PREFIX_LEN;
    memcpy(text, SCRIPT_TOKEN_PREFIX, PREFIX_LEN);
    for (size_t i = 0; i < RANDOM_LEN; i++) {
        random[i] = digits[randombytes_uniform(BASE)];
    }
    write_check(random, random + RANDOM_LEN);
    text[SCRIPT_TOKEN_LEN] = '\0';
    script_token_hash((struct slice){text, SCRIPT_TOKEN_LEN}, hash);
}

bool script_token_is_whole(struct slice text)
{
    char check[CHECK_LEN];
    if (text.len != SCRIPT_TOKEN_LEN || !slice_starts(text, SLICE(SCRIPT_TOKEN_PREFIX))) {
        return false;
    }
    const char *random = text.ptr + PREFIX_LEN;
    for (size_t i = 0; i < RANDOM_LEN; i++) {
        if (!ascii_is_alnum(random[i])) {
            return false;
        }
    }
    write_check(random, check);
    return memcmp(random + RANDOM_LEN, check, CHECK_LEN) == 0;
}

void script_token_hash(struct slice text, uint8_t hash[static SCRIPT_TOKEN_HASH_LEN])
{
    assert(text.ptr && text.len == SCRIPT_TOKEN_LEN);
    crypto_hash_sha256(hash, (const unsigned char *)text.ptr, text.len);
}
