// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_KEYS_H
#define TASKHOLD_AUTH_KEYS_H

#include "base/buffer.h"

/* The server's secrets: the current one, and the previous one that still verifies. From each secret
 * come a key for access tokens (the secret itself, so that any JOSE library verifies them), and
 * derived keys for refresh tokens and cursors. */

#define KEYS_MAC_LEN      32
#define KEYS_KID_LEN      16 /* hexadecimal digits; derived one-way from the secret */
#define KEYS_SECRET_LEAST 32
#define KEYS_SECRET_MOST  4096

struct keys;

enum keys_purpose { KEYS_ACCESS, KEYS_REFRESH, KEYS_CURSOR, KEYS_PURPOSES };

/* `previous` is empty when there is none. Memory is locked and wiped where the system allows. NULL
 * without memory, or when a secret is shorter than KEYS_SECRET_LEAST: with an empty key anybody
 * could sign. */
struct keys *keys_create(struct slice current, struct slice previous);
void keys_destroy(struct keys **keys);

/* The MAC of `data` under the current (`index` 0) or previous (1) key of a purpose: HMAC-SHA-256,
 * for cursors keyed BLAKE2b (RFC 7693). Returns false when there is no previous one. */
bool keys_mac(const struct keys *keys, enum keys_purpose purpose, unsigned index, struct slice data,
              uint8_t mac[static KEYS_MAC_LEN]);

/* Whether `mac` is that of `data` under either key; compares in constant time. */
bool keys_verify(const struct keys *keys, enum keys_purpose purpose, struct slice data,
                 const uint8_t mac[static KEYS_MAC_LEN]);

/* The JOSE header of access tokens under the current (0) or previous (1) secret, as base64url; ptr
 * NULL when there is none. */
struct slice keys_jose_header(const struct keys *keys, unsigned index);

/* Key id of the current (0) or previous (1) secret; ptr NULL when there is none. */
struct slice keys_kid(const struct keys *keys, unsigned index);

/* Reads the secret beside an SQLite database file (`PATH.jwt-secret`), or makes it: 64 random bytes
 * as base64url, mode 0600, the folder synced. Returns a malloc'd text, or NULL with a line in `why`
 * (unreadable, readable by others, too short). */
char *keys_secret_file(const char *database_path, char *why, size_t why_size);

#endif
