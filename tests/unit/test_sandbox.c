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
#include "sanitizers.h"

/* ---- what is tried; each gives 0 or errno ---- */

static int write_own(const struct place *place)
{
    return open_in(place->folder, "new", O_RDWR | O_CREAT | O_TRUNC);
}

static int rename_own(const struct place *place)
{
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof from, "%s/file", place->folder);
    (void)snprintf(to, sizeof to, "%s/moved", place->folder);
    return result_of(rename(from, to));
}

static int rename_out(const struct place *place)
{
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof from, "%s/file", place->folder);
    (void)snprintf(to, sizeof to, "%s/moved", place->other);
    return result_of(rename(from, to));
}

static int make_folder(const struct place *place)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/folder", place->folder);
    return result_of(mkdir(path, 0700));
}

static int read_read(const struct place *place)
{
    return open_in(place->read, "file", O_RDONLY);
}

static int write_read(const struct place *place)
{
    return open_in(place->read, "file", O_WRONLY);
}

static int list_read(const struct place *place)
{
    return result_of(open(place->read, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int read_other(const struct place *place)
{
    return open_in(place->other, "file", O_RDONLY);
}

static int make_other(const struct place *place)
{
    return open_in(place->other, "new", O_WRONLY | O_CREAT);
}

static int remove_other(const struct place *place)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/file", place->other);
    return result_of(unlink(path));
}

static int read_shadow(const struct place *place)
{
    (void)place;
    return result_of(open("/etc/shadow", O_RDONLY | O_CLOEXEC));
}

static int read_memory_of_parent(const struct place *place)
{
    char path[64];
    (void)place;
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return result_of(open(path, O_RDONLY | O_CLOEXEC));
}

static int execute(const struct place *place)
{
    char *const nothing[] = {NULL};
    (void)place;
    return result_of(execve("/bin/true", nothing, nothing));
}

static int connect_away(const struct place *place)
{
    return connect_to(place->away);
}

static int bind_anywhere(const struct place *place)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)place;
    return fd < 0 ? errno : result_of(bind(fd, (const struct sockaddr *)&address, sizeof address));
}

static int trace_parent(const struct place *place)
{
    (void)place;
    return result_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

/* ---- files and ports ---- */

static const struct {
    const char *name;
    int (*what)(const struct place *place);
    int result;
    int since; /* the version of Landlock */
} file_tries[] = {
    {"make a file in the own folder", write_own, WENT_WELL, 1},
    {"rename in the own folder", rename_own, WENT_WELL, 1},
    {"read what may be read", read_read, WENT_WELL, 1},
    {"connect to the port that is allowed", connect_allowed, WENT_WELL, 1},
    {"rename out of the own folder", rename_out, EACCES, 1},
    {"make a folder", make_folder, EACCES, 1},
    {"write what may be read", write_read, EACCES, 1},
    {"list what may be read", list_read, EACCES, 1},
    {"read a file of others", read_other, EACCES, 1},
    {"make a file elsewhere", make_other, EACCES, 1},
    {"remove a file elsewhere", remove_other, EACCES, 1},
    {"read /etc/shadow", read_shadow, EACCES, 1},
    {"read the memory of another process", read_memory_of_parent, EACCES, 1},
    {"start a program", execute, EACCES, 1},
    {"trace the parent", trace_parent, EPERM, 1},
    {"connect to another port", connect_away, EACCES, 4},
    {"listen on a port", bind_anywhere, EACCES, 4},
    {"signal the parent", signal_parent, EPERM, 6},
};

static void files_and_ports_are_closed_in_every_thread(void **state)
{
    const int version = landlock_version();

    if (version == 0) {
        print_message("SKIPPED: this kernel has no Landlock\n");
        skip();
    }
    for (size_t i = 0; i < sizeof file_tries / sizeof *file_tries; i++) {
        if (file_tries[i].since > version) {
            continue;
        }
        for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
            const int status = status_of((struct trying){
                .place = *state, .what = file_tries[i].what, .elsewhere = elsewhere});
            if (!WIFEXITED(status) || WEXITSTATUS(status) != file_tries[i].result) {
                fail_msg("%s: status %x", file_tries[i].name, (unsigned)status);
            }
            make_file(((struct place *)*state)->folder, "file");
        }
    }
}

/* What the tries above find when nothing is closed: they can tell the difference. */
static void the_same_goes_well_without(void **state)
{
    const struct place *place = *state;

    assert_int_equal(read_other(place), WENT_WELL);
    assert_int_equal(make_other(place), WENT_WELL);
    assert_int_equal(list_read(place), WENT_WELL);
    assert_int_equal(connect_away(place), WENT_WELL);
    assert_int_equal(bind_anywhere(place), WENT_WELL);
    assert_int_equal(signal_parent(place), WENT_WELL);
    assert_int_equal(make_folder(place), WENT_WELL);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/folder", place->folder);
    assert_int_equal(rmdir(path), 0);
}

/* ---- system calls ---- */

static int make_netlink(const struct place *place)
{
    (void)place;
    return result_of(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int make_socket(const struct place *place)
{
    (void)place;
    return result_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int make_executable(const struct place *place)
{
    (void)place;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NO_SUCH + 1 : result_of(mprotect(memory, 4096, PROT_EXEC));
}

static int map_executable(const struct place *place)
{
    (void)place;
    const void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : WENT_WELL;
}

static int unknown_call(const struct place *place)
{
    (void)place;
    return result_of(syscall(1000));
}

static int set_limit(const struct place *place)
{
    (void)place;
    const uint64_t limit[2] = {0, 0};
    return result_of(syscall(SYS_prlimit64, 0, 4, limit, NULL));
}

static void *do_nothing(void *argument)
{
    return argument;
}

static int make_thread(const struct place *place)
{
    pthread_t thread;
    (void)place;
    return thread_start(&thread, "new", 0, do_nothing, NULL) ? pthread_join(thread, NULL) : errno;
}

static int read_and_write(const struct place *place)
{
    const int fd = open(place->folder, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : result_of(fsync(fd));
}

static const struct {
    const char *name;
    int (*what)(const struct place *place);
    bool sockets;
    int result;
} call_tries[] = {
    {"make a thread", make_thread, false, WENT_WELL},
    {"make a thread", make_thread, true, WENT_WELL},
    {"open and flush", read_and_write, false, WENT_WELL},
    {"make a socket", make_socket, true, WENT_WELL},
    {"connect", connect_allowed, true, WENT_WELL},
    {"make a socket without need", make_socket, false, ENOSYS},
    {"ask the kernel about its network", make_netlink, true, ENOSYS},
    {"make memory executable", make_executable, true, ENOSYS},
    {"map memory to write and run", map_executable, true, ENOSYS},
    {"signal another process", signal_parent, false, ENOSYS},
    {"set a limit", set_limit, false, ENOSYS},
    {"a call that nobody knows", unknown_call, false, ENOSYS},
};

#define SKIP_WITHOUT_SECCOMP()                                                                     \
    do {                                                                                           \
        char why_[256];                                                                            \
        if (!sandbox_calls_possible(why_, sizeof why_)) {                                          \
            print_message("SKIPPED: %s\n", why_);                                                  \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

static void calls_are_answered(void **state)
{
    SKIP_WITHOUT_SECCOMP();
    for (size_t i = 0; i < sizeof call_tries / sizeof *call_tries; i++) {
        for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
            const int status = status_of((struct trying){.place = *state,
                                                         .what = call_tries[i].what,
                                                         .calls = true,
                                                         .sockets = call_tries[i].sockets,
                                                         .elsewhere = elsewhere});
            if (!WIFEXITED(status) || WEXITSTATUS(status) != call_tries[i].result) {
                fail_msg("%s: status %x", call_tries[i].name, (unsigned)status);
            }
        }
    }
}

static long deadly;

static int call_deadly(const struct place *place)
{
    (void)place;
    return result_of(syscall(deadly, 0, 0, 0, 0, 0, 0));
}

/* With arguments that do no harm where the filter lets them through. */
static const struct {
    const char *name;
    long number;
} deadly_calls[] = {
    {"execve", SYS_execve},
    {"execveat", SYS_execveat},
    {"ptrace", SYS_ptrace},
    {"process_vm_readv", SYS_process_vm_readv},
    {"process_vm_writev", SYS_process_vm_writev},
    {"clone as fork", SYS_clone},
    {"unshare", SYS_unshare},
    {"setns", SYS_setns},
    {"mount", SYS_mount},
    {"umount2", SYS_umount2},
    {"pivot_root", SYS_pivot_root},
    {"chroot", SYS_chroot},
    {"bpf", SYS_bpf},
    {"perf_event_open", SYS_perf_event_open},
    {"userfaultfd", SYS_userfaultfd},
    {"io_uring_setup", SYS_io_uring_setup},
    {"io_uring_enter", SYS_io_uring_enter},
    {"keyctl", SYS_keyctl},
    {"add_key", SYS_add_key},
    {"init_module", SYS_init_module},
    {"finit_module", SYS_finit_module},
    {"kexec_load", SYS_kexec_load},
    {"reboot", SYS_reboot},
    {"setuid", SYS_setuid},
    {"setresuid", SYS_setresuid},
    {"setgid", SYS_setgid},
    {"setgroups", SYS_setgroups},
    {"capset", SYS_capset},
    {"bind", SYS_bind},
    {"listen", SYS_listen},
    {"personality", SYS_personality},
    {"memfd_create", SYS_memfd_create},
    {"mkdirat", SYS_mkdirat},
    {"linkat", SYS_linkat},
    {"symlinkat", SYS_symlinkat},
    {"mknodat", SYS_mknodat},
    {"fchmodat", SYS_fchmodat},
    {"fchownat", SYS_fchownat},
    {"setxattr", SYS_setxattr},
    {"clock_settime", SYS_clock_settime},
    {"sethostname", SYS_sethostname},
    {"swapon", SYS_swapon},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_getfd", 438},
    {"process_madvise", 440},
    {"open_by_handle_at", SYS_open_by_handle_at},
    {"quotactl", SYS_quotactl},
    {"acct", SYS_acct},
    {"vhangup", SYS_vhangup},
    {"shmget", SYS_shmget},
    {"mq_open", SYS_mq_open},
};

static void what_a_server_never_does_is_the_end(void **state)
{
    SKIP_WITHOUT_SECCOMP();
    for (size_t i = 0; i < sizeof deadly_calls / sizeof *deadly_calls; i++) {
        deadly = deadly_calls[i].number;
        for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
            const int status = status_of((struct trying){.place = *state,
                                                         .what = call_deadly,
                                                         .calls = true,
                                                         .sockets = i % 2 == 0,
                                                         .elsewhere = elsewhere});
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
                fail_msg("%s: status %x", deadly_calls[i].name, (unsigned)status);
            }
        }
    }
}

static int connect_deadly(const struct place *place)
{
    return result_of(connect(place->listeners[0], NULL, 0));
}

static void connects_only_who_has_a_database_server(void **state)
{
    SKIP_WITHOUT_SECCOMP();
    const int status =
        status_of((struct trying){.place = *state, .what = connect_deadly, .calls = true});
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* ---- which folders are read around a file ---- */

static int read_beside_allowed(const struct place *place)
{
    char why[256];
    struct sandbox_files files;
    const struct sandbox_limits limits = {0};
    char path[128];

    (void)snprintf(path, sizeof path, "%s/file", place->read);
    if (!sandbox_files_begin(&files, &limits, why, sizeof why)) {
        return NO_SUCH;
    }
    sandbox_files_allow_around(&files, path);
    sandbox_files_allow_around(&files, "/etc/passwd");
    sandbox_files_allow_around(&files, "/tmp/not-there");
    if (!sandbox_files_close(&files, why, sizeof why)) {
        return NO_SUCH;
    }
    return open_in(place->read, "new", O_RDONLY) == WENT_WELL &&
                   open_in("/etc", "passwd", O_RDONLY) == WENT_WELL &&
                   open_in("/etc", "shadow", O_RDONLY) == EACCES &&
                   open_in(place->other, "file", O_RDONLY) == EACCES
               ? WENT_WELL
               : NO_SUCH + 1;
}

static void a_file_may_be_replaced_and_a_folder_of_all_is_not_opened(void **state)
{
    const struct place *place = *state;
    int status = 0;

    if (landlock_version() == 0) {
        print_message("SKIPPED: this kernel has no Landlock\n");
        skip();
    }
    make_file(place->read, "new");
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        _exit(read_beside_allowed(place));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define SKIPPED_BY_MESON 77

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_and_ports_are_closed_in_every_thread, sandbox_set_up,
                                        sandbox_tear_down),
        cmocka_unit_test_setup_teardown(the_same_goes_well_without, sandbox_set_up,
                                        sandbox_tear_down),
        cmocka_unit_test_setup_teardown(calls_are_answered, sandbox_set_up, sandbox_tear_down),
        cmocka_unit_test_setup_teardown(what_a_server_never_does_is_the_end, sandbox_set_up,
                                        sandbox_tear_down),
        cmocka_unit_test_setup_teardown(connects_only_who_has_a_database_server, sandbox_set_up,
                                        sandbox_tear_down),
        cmocka_unit_test_setup_teardown(a_file_may_be_replaced_and_a_folder_of_all_is_not_opened,
                                        sandbox_set_up, sandbox_tear_down),
    };
    if (UNDER_TSAN) {
        print_message("SKIPPED: ThreadSanitizer keeps signals from threads that wait\n");
        return SKIPPED_BY_MESON;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
