// SPDX-License-Identifier: MIT
#include "store/sqlite/filesystem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

/* The numbers of statfs(2). */
static const struct {
    unsigned long magic;
    const char *name;
    enum filesystem_kind kind;
} known[] = {
    {0x01021994, "tmpfs", FILESYSTEM_MEMORY}, {0x858458f6, "ramfs", FILESYSTEM_MEMORY},
    {0x65735546, "FUSE", FILESYSTEM_FUSE},    {0x6969, "NFS", FILESYSTEM_NETWORK},
    {0x517b, "SMB", FILESYSTEM_NETWORK},      {0xfe534d42, "SMB 2", FILESYSTEM_NETWORK},
    {0xff534d42, "CIFS", FILESYSTEM_NETWORK}, {0x5346414f, "AFS", FILESYSTEM_NETWORK},
    {0x73757245, "Coda", FILESYSTEM_NETWORK}, {0x00c36400, "Ceph", FILESYSTEM_NETWORK},
    {0x01021997, "9P", FILESYSTEM_NETWORK},   {0x0bd00bd0, "Lustre", FILESYSTEM_NETWORK},
    {0x01161970, "GFS2", FILESYSTEM_NETWORK}, {0x7461636f, "OCFS2", FILESYSTEM_NETWORK},
};

enum filesystem_kind filesystem_kind_of(const char *path, const char **name)
{
    struct statfs status;

    *name = "a file system";
    if (statfs(path, &status) != 0)
        return FILESYSTEM_GOOD;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (((unsigned long)status.f_type & 0xffffffff) == known[i].magic) {
            *name = known[i].name;
            return known[i].kind;
        }
    }
    return FILESYSTEM_GOOD;
}

bool filesystem_risk_taken(void)
{
    const char *allowed = getenv("ALLOW_NETWORK_FILESYSTEM");
    return allowed && strcmp(allowed, "1") == 0;
}
