// SPDX-License-Identifier: MIT
#include "auth/invitation.h"

#include <sodium.h>

#define BYTES   32
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sodium_base64_ENCODED_LEN(BYTES, VARIANT) == INVITATION_LEN + 1, "the length");
_Static_assert(crypto_hash_sha256_BYTES == INVITATION_HASH_LEN, "the length");

void invitation_make(char text[static INVITATION_LEN + 1], uint8_t hash[static INVITATION_HASH_LEN])
{
    uint8_t random[BYTES];

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(text, INVITATION_LEN + 1, random, sizeof random, VARIANT);
    invitation_hash((struct slice){text, INVITATION_LEN}, hash);
}

void invitation_hash(struct slice text, uint8_t hash[static INVITATION_HASH_LEN])
{
    crypto_hash_sha256(hash, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
}
