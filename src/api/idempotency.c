// SPDX-License-Identifier: MIT
#include "api/idempotency.h"

#include <sodium.h>

#include "api/respond.h"
#include "base/json_reader.h"

static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < 0x21 || s.ptr[i] > 0x7E) {
            return false;
        }
    }
    return true;
}

/* Takes the backslashes out of what stands between two quotes (RFC 9651 section 3.3.3). */
static bool unescape(struct slice inner, struct arena *arena, struct slice *key)
{
    char text[IDEMPOTENCY_KEY_MOST];
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        if (c == '"' || len == sizeof text) {
            return false;
        }
        if (c == '\\') {
            i++;
            if (i == inner.len || (inner.ptr[i] != '"' && inner.ptr[i] != '\\')) {
                return false;
            }
            c = inner.ptr[i];
        }
        text[len++] = c;
    }
    *key = arena_copy(arena, (struct slice){text, len});
    return key->ptr != NULL && len > 0;
}

bool idempotency_key_parse(struct slice field, struct arena *arena, struct slice *key)
{
    if (field.len == 0 || !is_visible(field)) {
        return false;
    }
    if (field.ptr[0] != '"') {
        *key = field;
        return field.len <= IDEMPOTENCY_KEY_MOST;
    }
    if (field.len < 2 || field.ptr[field.len - 1] != '"') {
        return false;
    }
    return unescape((struct slice){field.ptr + 1, field.len - 2}, arena, key);
}

void idempotency_bind(struct store_task_write *write, const uint8_t *content)
{
    crypto_generichash_state state;
    const uint8_t verb = (uint8_t)write->verb;
    if (!write->idempotency.key.ptr) {
        return;
    }
    crypto_generichash_init(&state, NULL, 0, sizeof write->idempotency.fingerprint);
    crypto_generichash_update(&state, &verb, sizeof verb);
    if (write->verb != STORE_TASK_CREATE) { /* whose id is made anew each time */
        crypto_generichash_update(&state, write->id.bytes, sizeof write->id.bytes);
    }
    if (content) {
        crypto_generichash_update(&state, content, JSON_READER_DIGEST);
    }
    crypto_generichash_final(&state, write->idempotency.fingerprint,
                             sizeof write->idempotency.fingerprint);
}

bool idempotency_read(struct http_exchange *x, struct store_idempotency *idempotency)
{
    const struct http_field_value *field = &x->request.fields[HTTP_FIELD_IDEMPOTENCY_KEY];
    if (!field->value.ptr) {
        return true;
    }
    if (field->count > 1 || !idempotency_key_parse(field->value, x->arena, &idempotency->key)) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "Idempotency-Key must be given once, with 1 to 255 visible ASCII characters, "
                      "in double quotes or bare.");
        return false;
    }
    return true;
}
