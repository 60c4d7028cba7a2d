// SPDX-License-Identifier: MIT
/* Loaded into a server (LD_PRELOAD): when a connection comes and the file PROBE_GO is there, the
 * thread that took it does what an attacker inside it would try, and tells on standard error:
 * `probe NAME RESULT`, where the result is 0 or errno. PROBE_CALL: one that should be the end. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void tell(const char *name, long result)
{
    char line[128];
    const int len = snprintf(line, sizeof line, "probe %s %d\n", name, result < 0 ? errno : 0);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0) {
        abort();
    }
}

static int open_named(const char *variable, int flags)
{
    const char *path = getenv(variable);
    return path ? open(path, flags | O_CLOEXEC, 0600) : -1;
}

static void try_connect(void)
{
    const char *port = getenv("PROBE_PORT");
    struct sockaddr_in address = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    tell("socket", fd);
    if (fd >= 0 && port) {
        address.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        tell("connect", connect(fd, (struct sockaddr *)&address, sizeof address));
    }
}

static void try_deadly(const char *name)
{
    char *const nothing[] = {NULL};

    if (strcmp(name, "execve") == 0) {
        tell(name, execve("/bin/true", nothing, nothing));
    } else if (strcmp(name, "ptrace") == 0) {
        tell(name, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
    } else if (strcmp(name, "fork") == 0) {
        tell(name, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    } else if (strcmp(name, "listen") == 0) {
        tell(name, listen(STDERR_FILENO, 1));
    } else if (strcmp(name, "io_uring_setup") == 0) {
        tell(name, syscall(SYS_io_uring_setup, 1, NULL));
    }
}

static void probe(void)
{
    const char *deadly = getenv("PROBE_CALL");

    tell("shadow", open("/etc/shadow", O_RDONLY | O_CLOEXEC));
    tell("read", open_named("PROBE_FILE", O_RDONLY));
    tell("make", open_named("PROBE_NEW", O_WRONLY | O_CREAT));
    tell("secret", open_named("PROBE_SECRET", O_RDONLY));
    tell("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    tell("signal", kill(getppid(), 0));
    const void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tell("executable", memory == MAP_FAILED ? -1 : 0);
    try_connect();
    if (deadly) {
        try_deadly(deadly);
    }
    tell("end", 0);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    static int done;
    const char *go = getenv("PROBE_GO");

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    }
    const int taken = real(fd, address, len, flags);
    if (taken >= 0 && go && access(go, F_OK) == 0 &&
        !__atomic_exchange_n(&done, 1, __ATOMIC_SEQ_CST)) {
        const int before = errno;
        probe();
        errno = before;
    }
    return taken;
}
