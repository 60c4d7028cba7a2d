#include "api/idempotency.h"

#include <sodium.h>

#include "api/respond.h"

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
            if (++i == inner.len || (inner.ptr[i] != '"' && inner.ptr[i] != '\\')) {
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

/* Each part goes in with its length, so that no two requests run together into the same bytes. */
static void add_part(crypto_generichash_state *state, struct slice part)
{
    uint64_t len = part.len;
    crypto_generichash_update(state, (const unsigned char *)&len, sizeof len);
    if (part.len > 0) {
        crypto_generichash_update(state, (const unsigned char *)part.ptr, part.len);
    }
}

static void make_fingerprint(const struct http_request *r, uint8_t fingerprint[static 32])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    add_part(&state, http_method_name(r->method));
    add_part(&state, r->path);
    add_part(&state, r->body);
    crypto_generichash_final(&state, fingerprint, 32);
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
    make_fingerprint(&x->request, idempotency->fingerprint);
    return true;
}
