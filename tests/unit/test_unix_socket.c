// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/unix_socket.h"

static char folder[64];
static char path[512];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/taskhold-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/control", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    (void)rmdir(path);
    (void)rmdir(folder);
    return 0;
}

static void assert_refused(enum unix_socket_connected wanted, uid_t owner, const char *reason)
{
    const char *why = "";
    int fd = -1;
    assert_int_equal(unix_socket_connect(path, owner, &fd, &why), wanted);
    assert_non_null(strstr(why, reason));
    assert_int_equal(fd, -1);
}

static void assert_not_bound(const char *reason)
{
    const char *why = "";
    assert_int_equal(unix_socket_bind(path, &why), -1);
    assert_non_null(strstr(why, reason));
}

/* Bound, connected to, and both ends know the other. */
static void assert_serves(void)
{
    const char *why = "";
    struct stat status;
    int client = -1;
    const int fd = unix_socket_bind(path, &why);
    assert_string_equal(why, "");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_refused(UNIX_SOCKET_NOBODY, geteuid(), ""); /* it does not listen yet */
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(unix_socket_connect(path, geteuid(), &client, &why), UNIX_SOCKET_CONNECTED);
    const int peer = accept(fd, NULL, NULL);
    assert_true(unix_socket_peer_allowed(peer));
    close(peer);
    close(client);
    close(fd);
}

static void serves_and_takes_its_place_again(void **state)
{
    (void)state;
    assert_serves();
    assert_refused(UNIX_SOCKET_NOBODY, geteuid(), ""); /* the file is there, the server is not */
    assert_serves();
}

static void paths_longer_than_an_address(void **state)
{
    char name[200];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/%s/control", folder, name);
    assert_serves();
    /* The name itself must fit. */
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_not_bound("too long");
}

static void refuses_what_is_no_socket(void **state)
{
    (void)state;
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_not_bound("remove it");
    assert_refused(UNIX_SOCKET_REFUSED, geteuid(), "no socket");
    assert_int_equal(access(path, F_OK), 0);
}

static void refuses_where_no_folder_is(void **state)
{
    char kept[sizeof path];
    (void)state;
    memcpy(kept, path, sizeof kept);
    (void)snprintf(path, sizeof path, "%s/none/control", folder);
    assert_not_bound("cannot be used");
    assert_refused(UNIX_SOCKET_NOBODY, geteuid(), "cannot be used");
    memcpy(path, kept, sizeof kept);
}

static void refuses_the_sockets_of_others(void **state)
{
    const char *why = "";
    const uid_t stranger = geteuid() == 0 ? 4242 : geteuid() + 1;
    (void)state;
    const int fd = unix_socket_bind(path, &why);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_refused(UNIX_SOCKET_REFUSED, geteuid(), "others may use");
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() != 0) {
        assert_refused(UNIX_SOCKET_REFUSED, stranger, "belongs to a stranger");
    } else {
        assert_int_equal(chown(path, stranger, (gid_t)-1), 0);
        assert_refused(UNIX_SOCKET_REFUSED, 0, "belongs to a stranger");
        /* It has the right owner, and somebody else listens. */
        assert_refused(UNIX_SOCKET_REFUSED, stranger, "a stranger listens");
    }
    close(fd);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(serves_and_takes_its_place_again), TEST(paths_longer_than_an_address),
        TEST(refuses_what_is_no_socket),        TEST(refuses_where_no_folder_is),
        TEST(refuses_the_sockets_of_others),
    };
    return cmocka_run_group_tests_name("unix_socket", tests, NULL, NULL);
}
