// SPDX-License-Identifier: MIT
/* Loaded before a program that was compiled with -finstrument-functions (script/trace-request):
 * notes each function that a thread enters, into the file $TRACE_FILE, while the reader of that
 * file has `on` set. Not a part of the server. */
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    uint64_t function; /* from the program's first byte */
    uint64_t thread;
};

/* The reader knows this form. */
struct record {
    _Atomic uint32_t on;
    _Atomic uint32_t count; /* may be more than there is room for */
    struct entry entries[];
};

static struct record *record;
static uint64_t room; /* for so many entries */
static uint64_t base; /* where the program was loaded */

static int find_base(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    base = info->dlpi_addr;
    return 1; /* the first one is the program */
}

__attribute__((constructor)) static void open_record(void)
{
    const char *path = getenv("TRACE_FILE");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && dl_iterate_phdr(find_base, NULL) == 1) {
        const size_t size = (size_t)status.st_size;
        void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        room = (size - sizeof *record) / sizeof(struct entry);
        record = mapped == MAP_FAILED ? NULL : mapped;
    }
}

void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

void __cyg_profile_func_enter(void *function, void *caller)
{
    (void)caller;
    if (!record || !atomic_load_explicit(&record->on, memory_order_relaxed)) {
        return;
    }
    const uint32_t at = atomic_fetch_add_explicit(&record->count, 1, memory_order_relaxed);
    if (at < room) {
        record->entries[at] =
            (struct entry){(uint64_t)(uintptr_t)function - base, (uint64_t)gettid()};
    }
}

void __cyg_profile_func_exit(void *function, void *caller)
{
    (void)function;
    (void)caller;
}
