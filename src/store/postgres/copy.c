// SPDX-License-Identifier: MIT
#include "store/postgres/copy.h"

#include <endian.h>

static const char signature[11] = "PGCOPY\n\377\r\n"; /* and a NUL */

#define HEAD_LEN                                                                                   \
    (sizeof signature + 2 * sizeof(uint32_t)) /* then flags, and the length of more                \
                                               */

/* ---- writing ---- */

static void add_u16(struct buffer *out, uint16_t value)
{
    const uint16_t word = htobe16(value);
    buffer_add(out, (struct slice){(const char *)&word, sizeof word});
}

static void add_u32(struct buffer *out, uint32_t value)
{
    const uint32_t word = htobe32(value);
    buffer_add(out, (struct slice){(const char *)&word, sizeof word});
}

static void add_u64(struct buffer *out, uint64_t value)
{
    const uint64_t word = htobe64(value);
    buffer_add(out, (struct slice){(const char *)&word, sizeof word});
}

void copy_add_head(struct buffer *out)
{
    buffer_add(out, (struct slice){signature, sizeof signature});
    add_u64(out, 0);
}

void copy_add_tail(struct buffer *out)
{
    add_u16(out, UINT16_MAX);
}

void copy_add_row(struct buffer *out, const struct table *table, const struct table_value *values)
{
    add_u16(out, (uint16_t)table->column_count);
    for (size_t i = 0; i < table->column_count; i++) {
        if (values[i].null) {
            add_u32(out, UINT32_MAX);
        } else if (table->columns[i].type == TABLE_I64) {
            add_u32(out, sizeof(uint64_t));
            add_u64(out, (uint64_t)values[i].number);
        } else if (table->columns[i].type == TABLE_I16) {
            add_u32(out, sizeof(uint16_t));
            add_u16(out, (uint16_t)values[i].number);
        } else {
            add_u32(out, (uint32_t)values[i].bytes.len);
            buffer_add(out, values[i].bytes);
        }
    }
}

/* ---- reading ---- */

/* Takes `len` bytes from the front. */
static bool take(struct slice *rest, size_t len, struct slice *bytes)
{
    if (rest->len < len)
        return false;
    *bytes = (struct slice){rest->ptr, len};
    *rest = slice_from(*rest, len);
    return true;
}

/* A signed number of as many bytes as there are. */
static int64_t number_of(struct slice bytes)
{
    uint64_t value = bytes.len > 0 && (bytes.ptr[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return (int64_t)value;
}

static bool take_number(struct slice *rest, size_t len, int64_t *value)
{
    struct slice bytes;
    if (!take(rest, len, &bytes))
        return false;
    *value = number_of(bytes);
    return true;
}

static bool take_head(struct slice *rest)
{
    struct slice head;
    int64_t more = 0;
    if (!take(rest, HEAD_LEN - sizeof(uint32_t), &head) ||
        memcmp(head.ptr, signature, sizeof signature) != 0)
        return false;
    return take_number(rest, sizeof(uint32_t), &more) && more >= 0 &&
           take(rest, (size_t)more, &head);
}

static bool take_value(struct slice *rest, const struct table_column *column,
                       struct table_value *value)
{
    static const size_t sizes[] = {
        [TABLE_UUID] = sizeof(struct uuid), [TABLE_I64] = 8, [TABLE_I16] = 2};
    int64_t len = 0;
    *value = (struct table_value){0};
    if (!take_number(rest, sizeof(uint32_t), &len))
        return false;
    value->null = len < 0;
    if (value->null)
        return column->nullable;
    if (!take(rest, (size_t)len, &value->bytes))
        return false;
    if (column->type == TABLE_TEXT || column->type == TABLE_BLOB)
        return true;
    if (table_is_number(column))
        value->number = number_of(value->bytes);
    return value->bytes.len == sizes[column->type];
}

enum side_next copy_read_row(struct slice message, bool first, const struct table *table,
                             struct table_value values[TABLE_COLUMNS_MOST])
{
    struct slice rest = message;
    int64_t count = 0;
    if ((first && !take_head(&rest)) || !take_number(&rest, sizeof(uint16_t), &count))
        return SIDE_FAILED;
    if (count == -1)
        return rest.len == 0 ? SIDE_END : SIDE_FAILED;
    if (count != (int64_t)table->column_count)
        return SIDE_FAILED;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!take_value(&rest, &table->columns[i], &values[i]))
            return SIDE_FAILED;
    }
    return rest.len == 0 ? SIDE_ROW : SIDE_FAILED;
}
