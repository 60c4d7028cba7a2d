// SPDX-License-Identifier: MIT
/* The body of a batch: what was read without an error keeps its promises, and errors are whole. */
#include <assert.h>
#include <stdlib.h>

#include "api/batch_body.h"
#include "errors.h"
#include "model/task.h"

#define ARENA_MOST ((size_t)32 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_operation(const struct batch_operation *operation)
{
    const struct store_item_write *write = &operation->write;
    assert(write->resource == &task_resource);
    assert(write->verb >= STORE_CREATE && write->verb <= STORE_MOVE);
    assert(!write->chosen || write->verb == STORE_CREATE);
    assert(!write->values == (write->verb == STORE_DELETE));
    assert((write->set & ~resource_settable(&task_resource)) == 0);
    if (operation->errors) {
        assert(operation->errors->count > 0);
        check_errors(operation->errors);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[JSON_READER_WHY];
    uint8_t digest[JSON_READER_DIGEST];
    struct batch_body body;
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    struct arena *arena = arena_create(ARENA_MOST);
    if (!copy || !arena)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    switch (batch_body_read((struct slice){copy, size}, arena, NULL, &body, digest, why)) {
    case JSON_READ_OK:
        check_errors(&body.errors);
        assert(body.errors.count > 0 || (body.count >= 1 && body.count <= STORE_BATCH_MOST));
        for (unsigned i = 0; body.errors.count == 0 && i < body.count; i++)
            check_operation(&body.operations[i]);
        break;
    case JSON_READ_INVALID: assert(utf8_valid(slice_of(why))); break;
    case JSON_READ_NO_MEMORY: break;
    }
    arena_destroy(&arena);
    free(copy);
    return 0;
}
