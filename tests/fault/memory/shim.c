// SPDX-License-Identifier: MIT
/* Loaded before a server (LD_PRELOAD): its allocations are counted, and some of them fail, as a
 * test says while it runs. The test and this share a page of memory, the file that MEMORY_SHIM
 * names. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE 4096

/* What the C library calls its own: a symbol that is looked up would be allocated for. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

struct page {
    atomic_int_least64_t count; /* of allocations, failed ones too */
    atomic_int_least64_t from;  /* the first that fails, counted as above; 0: none */
    atomic_int_least64_t to;    /* the first after it that does not */
    atomic_int_least64_t struck;
    atomic_int_least64_t live; /* blocks that are there */
    atomic_uintptr_t where;    /* who asked for the last one that failed */
};

static struct page before; /* until the file is there */
static struct page *page = &before;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MEMORY_SHIM");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *shared =
        fd < 0 ? MAP_FAILED : mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (shared != MAP_FAILED) {
        page = shared;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int fails(void *caller)
{
    const int64_t number = atomic_fetch_add(&page->count, 1) + 1;
    const int64_t from = atomic_load(&page->from);

    if (from == 0 || number < from || number >= atomic_load(&page->to)) {
        return 0;
    }
    atomic_fetch_add(&page->struck, 1);
    atomic_store(&page->where, (uintptr_t)caller);
    errno = ENOMEM;
    return 1;
}

static void *made(void *memory)
{
    if (memory) {
        atomic_fetch_add(&page->live, 1);
    }
    return memory;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : made(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : made(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (fails(__builtin_return_address(0))) {
        return NULL;
    }
    void *memory = __libc_realloc(old, size);
    return old ? memory : made(memory);
}

void *memalign(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : made(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : made(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (fails(__builtin_return_address(0))) {
        return ENOMEM;
    }
    *memory = made(__libc_memalign(alignment, size));
    return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
    if (memory) {
        atomic_fetch_sub(&page->live, 1);
    }
    __libc_free(memory);
}
