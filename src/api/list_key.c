// SPDX-License-Identifier: MIT
#include "api/list_key.h"

#include <assert.h>
#include <sodium.h>

struct key_begin {
    uint32_t kind;
    uint16_t orders;
    uint16_t terms;
    unsigned char runs[crypto_shorthash_BYTES]; /* a hash; zero: there are none */
};

struct key_order {
    uint16_t field; /* place in the resource */
    uint8_t order;
    uint8_t descending;
};

struct key_term {
    uint64_t choices;
    int64_t number;
    int64_t even;
    int64_t odd;
    uint32_t bytes; /* of the value, that follow */
    uint32_t list;  /* of the list, after them */
    uint16_t field; /* place in the resource and 1; 0: none */
    uint16_t filter;
    uint8_t wanted;
    uint8_t or_null;
    uint8_t null;
    uint8_t unused;
};
static_assert(sizeof(struct key_begin) == 16 && sizeof(struct key_order) == 4 &&
                  sizeof(struct key_term) == 48,
              "has no padding");

static void add_bytes(struct buffer *out, const void *bytes, size_t len)
{
    buffer_add(out, (struct slice){bytes, len});
}

static void add_term(const struct store_term *term, const struct field *fields, struct buffer *out)
{
    const bool choice = term->field && field_is_choice(term->field->type);
    const struct key_term key = {
        .choices = term->choices,
        .number = term->value.number,
        .even = term->limit.even,
        .odd = term->limit.odd,
        .bytes = choice ? 0 : (uint32_t)term->value.bytes.len,
        .list = (uint32_t)term->list.len,
        .field = (uint16_t)(term->field ? term->field - fields + 1 : 0),
        .filter = (uint16_t)term->filter,
        .wanted = term->wanted,
        .or_null = term->or_null,
        .null = term->value.null,
    };
    add_bytes(out, &key, sizeof key);
    add_bytes(out, term->value.bytes.ptr, key.bytes);
    add_bytes(out, term->list.ptr, key.list);
}

void list_key_add(const struct store_item_list *list, struct buffer *out)
{
    static const unsigned char hash_key[crypto_shorthash_KEYBYTES] = "runs of a zone";
    struct key_begin begin = {.kind = (uint32_t)list->resource->kind,
                              .orders = (uint16_t)list->order_count,
                              .terms = (uint16_t)list->term_count};
    assert(list->order_count <= STORE_ORDERS_MOST && list->term_count <= STORE_TERMS_MOST);
    if (list->runs)
        crypto_shorthash(begin.runs, (const unsigned char *)list->runs,
                         list->run_count * sizeof *list->runs, hash_key);
    add_bytes(out, &begin, sizeof begin);
    for (unsigned i = 0; i < list->order_count; i++) {
        const struct store_order *order = &list->orders[i];
        const struct key_order key = {(uint16_t)(order->field - list->resource->fields),
                                      (uint8_t)order->order, order->descending};
        add_bytes(out, &key, sizeof key);
    }
    for (unsigned i = 0; i < list->term_count; i++)
        add_term(&list->terms[i], list->resource->fields, out);
}
