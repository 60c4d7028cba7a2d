// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include "store/transfer/dump.h"

/* The lines of an import, in format 1 or 2: the first byte chooses. What is taken keeps the rules
 * of its table, and what is refused says why. */

static const char *const headers[] = {
    "{\"format\":\"taskhold\",\"version\":1,\"users\":1,\"tasks\":1,\"tombstones\":1}",
    "{\"format\":\"taskhold\",\"version\":2,\"users\":1,\"spaces\":1,\"tasks\":1,\"changes\":1}",
};

static void check_rows(const struct dump_rows *rows)
{
    assert(rows->count <= DUMP_ROWS_MOST);
    for (size_t i = 0; i < rows->count; i++) {
        const struct table *table = rows->list[i].table;
        assert(table && table->name);
        for (size_t k = 0; k < table->column_count; k++) {
            const struct field *column = &table->columns[k];
            const struct field_value *value = &rows->list[i].values[k];
            assert(!value->null || (column->flags & FIELD_NULLABLE) || field_is_json(column->type));
            assert(value->null || field_is_number(column->type) || value->bytes.ptr);
            assert(value->null || column->type != FIELD_UUID ||
                   value->bytes.len == sizeof(struct uuid));
            assert(value->null || column->type != FIELD_TEXT || utf8_valid(value->bytes));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char why[1024];
    static struct dump_rows rows;
    struct dump_reader reader;
    if (size == 0)
        return 0;
    char *copy = malloc(size); /* of its exact length, so that ASan sees a read after it */
    if (!copy || !dump_reader_init(&reader, why, sizeof why))
        abort();
    memcpy(copy, data + 1, size - 1);
    struct slice rest = {copy, size - 1};
    /* Or the input brings a header of its own. */
    if (data[0] % 3 < 2 && !dump_read(&reader, slice_of(headers[data[0] % 3]), &rows))
        abort();
    while (rest.len > 0) {
        const struct slice line = slice_next(&rest, '\n');
        why[0] = '\0';
        if (!dump_read(&reader, line, &rows)) {
            assert(why[0] != '\0');
            break;
        }
        check_rows(&rows);
    }
    dump_reader_finish(&reader);
    free(copy);
    return 0;
}
