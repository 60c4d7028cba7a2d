// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"

#define MIB  (UINT64_C(1024) * 1024)
#define MOST 8 /* files of one case */

static const struct machine many = {64, "affinity", 262144 * MIB, "machine"};

/* Makes the folders before the name, and the file. */
static void write_file(const char *root, const char *name, const char *content)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s%s", root, name);
    for (char *at = path + strlen(root) + 1; *at; at++) {
        if (*at == '/') {
            *at = '\0';
            assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
            *at = '/';
        }
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_tree(const char *root)
{
    char command[600];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
}

static void limits_of_control_groups(void **state)
{
    static const struct {
        const char *files[2 * MOST]; /* name, content, … */
        uint64_t memory;             /* MiB; 0: the machine's */
        unsigned cpus;               /* at most; 0: those of the process */
    } cases[] = {
        {{NULL}, 0, 0},
        /* version 2, in a container with a name space of its own */
        {{"/proc/self/cgroup", "0::/\n", "/sys/fs/cgroup/cpu.max", "100000 100000\n",
          "/sys/fs/cgroup/memory.max", "134217728\n"},
         128,
         1},
        {{"/proc/self/cgroup", "0::/\n", "/sys/fs/cgroup/cpu.max", "max 100000\n",
          "/sys/fs/cgroup/memory.max", "max\n"},
         0,
         0},
        {{"/proc/self/cgroup", "0::/\n", "/sys/fs/cgroup/cpu.max", "50000 100000\n"}, 0, 1},
        /* a service of systemd: the tightest of the groups above counts */
        {{"/proc/self/cgroup", "0::/system.slice/taskhold.service\n",
          "/sys/fs/cgroup/system.slice/taskhold.service/memory.max", "268435456\n",
          "/sys/fs/cgroup/system.slice/memory.max", "67108864\n",
          "/sys/fs/cgroup/system.slice/cpu.max", "1000 100000\n"},
         64,
         1},
        {{"/proc/self/cgroup", "0::/a\n", "/sys/fs/cgroup/a/memory.max", "max\n",
          "/sys/fs/cgroup/a/memory.high", "100663296\n"},
         96,
         0},
        /* version 1 */
        {{"/proc/self/cgroup", "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n",
          "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "536870912\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "100000\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n"},
         512,
         1},
        /* … whose path is only seen outside */
        {{"/proc/self/cgroup", "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n",
          "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
          "100000\n"},
         512,
         0},
        {{"/proc/self/cgroup", "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
          "9223372036854771712\n"},
         0,
         0},
        /* nonsense sets nothing */
        {{"/proc/self/cgroup", "no colon\n::\n0::\n1:cpu\n", "/sys/fs/cgroup/cpu.max", "1 0\n",
          "/sys/fs/cgroup/memory.max", "many\n"},
         0,
         0},
    };
    struct machine own;

    (void)state;
    machine_read("/nowhere", &own);
    assert_true(own.cpus >= 1 && own.memory > 1024 * MIB);
    assert_string_equal(own.cpus_by, "affinity");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[] = "/tmp/taskhold-machine-XXXXXX";
        struct machine machine;
        assert_non_null(mkdtemp(root));
        for (size_t j = 0; j < MOST && cases[i].files[2 * j]; j++) {
            write_file(root, cases[i].files[2 * j], cases[i].files[2 * j + 1]);
        }
        machine_read(root, &machine);
        remove_tree(root);
        assert_int_equal(machine.memory, cases[i].memory ? cases[i].memory * MIB : own.memory);
        assert_string_equal(machine.memory_by, cases[i].memory ? "cgroup" : own.memory_by);
        assert_int_equal(machine.cpus, cases[i].cpus ? cases[i].cpus : own.cpus);
    }
}

static void cores_are_those_that_the_process_may_run_on(void **state)
{
    cpu_set_t before;
    cpu_set_t one;
    struct machine machine;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &before)) {
            CPU_SET(cpu, &one);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    machine_read("/nowhere", &machine);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(machine.cpus, 1);
}

static void what_is_taken(void **state)
{
    static const struct {
        unsigned cpus;
        uint64_t memory; /* MiB */
        unsigned threads;
        unsigned loops;
        unsigned hashers;
    } cases[] = {
        {1, 1024, 0, 1, 1},    {2, 8192, 0, 2, 1},      {3, 8192, 0, 3, 1},
        {4, 8192, 0, 4, 2},    {64, 262144, 0, 64, 32}, {64, 512, 2, 2, 1},
        {64, 512, 0, 64, 6},   {64, 512, 64, 64, 6},    {64, 64, 0, 64, 1},
        {64, 0, 0, 64, 32}, /* not known */
        {2, 8192, 16, 16, 1},  {64, 262144, 16, 16, 8}, {1, 1024, 4, 4, 1},
        {64, 262144, 1, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine = many;
        struct machine_use use;
        machine.cpus = cases[i].cpus;
        machine.memory = cases[i].memory * MIB;
        machine_plan(&machine, cases[i].threads, &use);
        assert_int_equal(use.loops, cases[i].loops);
        assert_int_equal(use.hashers, cases[i].hashers);
        if (cases[i].memory >= 4 * 19) {
            assert_true(use.hashers * MACHINE_HASHER_BYTES <= machine.memory / 4);
        }
        assert_true(strlen(use.loops_why) > 0 && strlen(use.hashers_why) > 0);
        assert_null(strstr(use.loops_why, " 1 cores"));
        assert_null(strstr(use.hashers_why, " 1 cores"));
        assert_null(strstr(use.hashers_why, " 1 event loops"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_control_groups),
        cmocka_unit_test(cores_are_those_that_the_process_may_run_on),
        cmocka_unit_test(what_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
