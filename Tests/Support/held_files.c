/* Preloaded into every process of a bridge: as long as FOLDER/hold-rename.ENDING or FOLDER/hold-unlink.ENDING exists, whoever
 * is about to give a file of OAuth's state that ending, or to remove one with it, says so in FOLDER/held and goes no further.
 *
 * FOLDER is given by the compiler's -D. FOLDER/held has the process's id; the process is to be killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hold(const char *call, const char *path)
{
    const char *ending = strrchr(path, '.');
    char name[4096];

    if (ending == NULL || strchr(ending, '/') != NULL || strstr(path, "/oauth/") == NULL)
        return;
    snprintf(name, sizeof name, "%s/hold-%s%s", FOLDER, call, ending);
    if (access(name, F_OK) != 0)
        return;
    snprintf(name, sizeof name, "%s/held", FOLDER);
    int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0) {
        dprintf(file, "%d\n", (int)getpid());
        close(file);
    }
    for (;;)
        pause();
}

int rename(const char *from, const char *to)
{
    hold("rename", to);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    hold("unlink", path);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
