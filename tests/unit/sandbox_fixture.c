// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/thread.h"
#include "sandbox_fixture.h"

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void make_file(const char *folder, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

int sandbox_set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    (void)strcpy(place->folder, "/tmp/taskhold-own-XXXXXX");
    (void)strcpy(place->other, "/tmp/taskhold-other-XXXXXX");
    (void)strcpy(place->read, "/tmp/taskhold-read-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_non_null(mkdtemp(place->other));
    assert_non_null(mkdtemp(place->read));
    make_file(place->folder, "file");
    make_file(place->other, "file");
    make_file(place->read, "file");
    place->listeners[0] = listen_somewhere(&place->port);
    place->listeners[1] = listen_somewhere(&place->away);
    *state = place;
    return 0;
}

int sandbox_tear_down(void **state)
{
    struct place *place = *state;
    const char *folders[] = {place->folder, place->other, place->read};
    static const char *const names[] = {"file", "new", "moved"};
    char path[128];

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            (void)snprintf(path, sizeof path, "%s/%s", folders[i], names[j]);
            (void)unlink(path);
        }
        assert_int_equal(rmdir(folders[i]), 0);
    }
    close(place->listeners[0]);
    close(place->listeners[1]);
    free(place);
    return 0;
}

int result_of(long result)
{
    return result < 0 ? errno : WENT_WELL;
}

int open_in(const char *folder, const char *name, int flags)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return result_of(open(path, flags | O_CLOEXEC, 0600));
}

int connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? errno
                  : result_of(connect(fd, (const struct sockaddr *)&address, sizeof address));
}

int connect_allowed(const struct place *place)
{
    return connect_to(place->port);
}

int signal_parent(const struct place *place)
{
    (void)place;
    return result_of(kill(getppid(), 0));
}

/* ---- the process that tries ---- */

static void *try_there(void *argument)
{
    struct trying *trying = argument;
    pthread_mutex_lock(&trying->lock); /* until it is closed */
    trying->result = trying->what(trying->place);
    pthread_mutex_unlock(&trying->lock);
    return NULL;
}

static bool close_off(const struct trying *trying)
{
    char why[256];
    struct sandbox_files files;
    const struct sandbox_limits limits = {.connect = true, .bind = true, .others = true};
    const struct sandbox_calls calls = {.sockets = trying->sockets};

    if (trying->calls) {
        return sandbox_calls_close(&calls, why, sizeof why);
    }
    if (!sandbox_files_begin(&files, &limits, why, sizeof why)) {
        return false;
    }
    sandbox_files_allow(&files, trying->place->folder, SANDBOX_WRITE);
    sandbox_files_allow(&files, trying->place->read, SANDBOX_READ);
    sandbox_files_allow(&files, "/proc/self", SANDBOX_LIST);
    sandbox_files_allow(&files, "/dev/null", SANDBOX_READ);
    sandbox_files_allow(&files, "/not/there", SANDBOX_READ);
    sandbox_files_allow_connect(&files, trying->place->port);
    const bool closed = sandbox_files_close(&files, why, sizeof why);
    sandbox_files_finish(&files);
    return closed;
}

static void try_and_exit(struct trying *trying)
{
    pthread_t thread;

    pthread_mutex_init(&trying->lock, NULL);
    pthread_mutex_lock(&trying->lock);
    if (trying->elsewhere && !thread_start(&thread, "before", 0, try_there, trying)) {
        _exit(NO_SUCH + 1);
    }
    if (!close_off(trying)) {
        _exit(NO_SUCH);
    }
    if (trying->elsewhere) {
        pthread_mutex_unlock(&trying->lock);
        (void)pthread_join(thread, NULL);
    } else {
        trying->result = trying->what(trying->place);
    }
    _exit(trying->result);
}

int status_of(struct trying trying)
{
    int status = 0;
    (void)fflush(NULL);
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        try_and_exit(&trying);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

int landlock_version(void)
{
    struct sandbox_files files;
    const struct sandbox_limits limits = {0};
    char why[256];

    if (!sandbox_files_begin(&files, &limits, why, sizeof why)) {
        assert_non_null(strstr(why, "Landlock"));
        return 0;
    }
    sandbox_files_finish(&files);
    return files.abi;
}
