// SPDX-License-Identifier: MIT
#include "base/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/thread.h"

/* ---- Landlock, as landlock(7) and newer kernels have it: the header of the system may be older
 * than the kernel ---- */

#define CREATE_VERSION 1u /* of landlock_create_ruleset: asks for the version */

enum rule_type { RULE_PATH = 1, RULE_PORT = 2 };

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_MAKE_SOCK   (UINT64_C(1) << 9)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_OF_FILES    (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

#define NET_BIND      (UINT64_C(1) << 0)
#define NET_CONNECT   (UINT64_C(1) << 1)
#define SCOPE_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS (UINT64_C(1) << 1)

#define ABI_SCOPE 6

/* How many uses of files each version knows, from the first on. */
static const unsigned known_uses[] = {13, 14, 15, 15, 16};
#define KNOWN_USES (sizeof known_uses / sizeof *known_uses)

struct ruleset_attributes {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t uses;
    int32_t fd;
};

struct port_rule {
    uint64_t uses;
    uint64_t port;
};

static int create_ruleset(const struct ruleset_attributes *attributes, size_t size, unsigned flags)
{
    return (int)syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

static void add_rule(struct sandbox_files *files, enum rule_type type, const void *rule)
{
    if (syscall(SYS_landlock_add_rule, files->ruleset, type, rule, 0u) != 0) {
        files->failed = true;
    }
}

/* ---- files ---- */

bool sandbox_files_begin(struct sandbox_files *files, const struct sandbox_limits *limits,
                         char *why, size_t why_size)
{
    struct ruleset_attributes wanted = {0};

    assert(files && limits && why);
    *files = (struct sandbox_files){.ruleset = -1};
    files->abi = create_ruleset(NULL, 0, CREATE_VERSION);
    if (files->abi <= 0) {
        const char *reason = errno == EOPNOTSUPP ? "it is off in this kernel (lsm=)"
                             : errno == ENOSYS   ? "this kernel has none"
                                                 : strerror(errno);
        files->abi = 0;
        (void)snprintf(why, why_size, "files cannot be closed off by Landlock: %s", reason);
        return false;
    }
    const size_t version = (size_t)files->abi <= KNOWN_USES ? (size_t)files->abi : KNOWN_USES;
    wanted.fs = (UINT64_C(1) << known_uses[version - 1]) - 1;
    if (files->abi >= SANDBOX_ABI_PORTS) {
        wanted.net = (limits->connect ? NET_CONNECT : 0) | (limits->bind ? NET_BIND : 0);
    }
    if (files->abi >= ABI_SCOPE && limits->others) {
        wanted.scoped = SCOPE_SOCKETS | SCOPE_SIGNALS;
    }
    const size_t size = files->abi >= ABI_SCOPE ? sizeof wanted
                        : files->abi >= SANDBOX_ABI_PORTS
                            ? offsetof(struct ruleset_attributes, scoped)
                            : offsetof(struct ruleset_attributes, net);
    files->uses = wanted.fs;
    files->ruleset = create_ruleset(&wanted, size, 0);
    if (files->ruleset < 0) {
        (void)snprintf(why, why_size, "files cannot be closed off by Landlock: %s",
                       strerror(errno));
    }
    return files->ruleset >= 0;
}

static bool is_in(const char *path, const char *folder)
{
    const size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

void sandbox_files_allow(struct sandbox_files *files, const char *path, enum sandbox_use use)
{
    static const uint64_t uses[] = {
        [SANDBOX_READ] = FS_READ_FILE,
        [SANDBOX_LIST] = FS_READ_FILE | FS_READ_DIR,
        [SANDBOX_WRITE] = FS_OF_FILES | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK,
    };
    struct stat status;

    assert(files->ruleset >= 0 && path && use <= SANDBOX_WRITE);
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        files->failed = files->failed || errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        return;
    }
    struct path_rule rule = {.uses = uses[use] & files->uses, .fd = fd};
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) {
        rule.uses &= FS_OF_FILES;
    }
    if (rule.uses != 0) {
        add_rule(files, RULE_PATH, &rule);
    }
    if (!is_in(path, "/proc") && !is_in(path, "/sys")) {
        close(fd);
    }
}

/* Whether a folder holds what is not ours; `folder` is absolute and has no links. */
static bool is_common(const char *folder)
{
    static const char *const common[] = {
        "/",    "/etc", "/home", "/root", "/usr",  "/var", "/tmp",  "/run",   "/var/tmp",
        "/opt", "/srv", "/mnt",  "/dev",  "/proc", "/sys", "/boot", "/media", "/var/lib"};
    const struct passwd *user = getpwuid(geteuid());
    const char *homes[] = {getenv("HOME"), user ? user->pw_dir : NULL};
    bool found = is_in(folder, "/proc") || is_in(folder, "/sys");

    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        found = found || strcmp(folder, common[i]) == 0;
    }
    for (size_t i = 0; i < sizeof homes / sizeof *homes && !found; i++) {
        char *home = homes[i] && *homes[i] ? realpath(homes[i], NULL) : NULL;
        found = home && strcmp(folder, home) == 0;
        free(home);
    }
    /* Somebody's home, whoever we are. */
    return found || (strncmp(folder, "/home/", 6) == 0 && !strchr(folder + 6, '/'));
}

static void allow_folder_of(struct sandbox_files *files, const char *file)
{
    char *folder = disk_folder_of(file);
    char *found = folder ? realpath(folder, NULL) : NULL;

    if (found && !is_common(found)) {
        sandbox_files_allow(files, found, SANDBOX_READ);
    }
    free(found);
    free(folder);
}

void sandbox_files_allow_around(struct sandbox_files *files, const char *file)
{
    assert(file && *file);
    char *found = realpath(file, NULL);

    allow_folder_of(files, file);
    if (found) {
        allow_folder_of(files, found);
        sandbox_files_allow(files, found, SANDBOX_READ);
    }
    free(found);
}

void sandbox_files_allow_connect(struct sandbox_files *files, uint16_t port)
{
    const struct port_rule rule = {.uses = NET_CONNECT, .port = port};

    assert(files->ruleset >= 0);
    if (files->abi >= SANDBOX_ABI_PORTS) {
        add_rule(files, RULE_PORT, &rule);
    }
}

/* In one thread; inside a signal's handler. */
static bool restrict_thread(void *argument)
{
    const int *ruleset = argument;

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, *ruleset, 0u) == 0;
}

bool sandbox_files_close(struct sandbox_files *files, char *why, size_t why_size)
{
    assert(files->ruleset >= 0);
    if (files->failed) {
        (void)snprintf(why, why_size,
                       "files cannot be closed off by Landlock: what is needed "
                       "could not be named, for lack of memory or descriptors");
        return false;
    }
    if (!thread_run_everywhere(restrict_thread, &files->ruleset)) {
        (void)snprintf(why, why_size,
                       "files cannot be closed off by Landlock: a thread is refused");
        return false;
    }
    return true;
}

void sandbox_files_finish(struct sandbox_files *files)
{
    if (files->ruleset >= 0) {
        close(files->ruleset);
        files->ruleset = -1;
    }
}
