/* Preloaded into every process of a bridge: as long as FOLDER/refuse-NAME exists, nobody is accepted on the listening
 * socket NAME, as if the process had no descriptor left.
 *
 * FOLDER is given by the compiler's -D. NAME is the file's name of a Unix socket, "http" for TCP. Each attempt that is
 * refused adds a byte to FOLDER/attempts-NAME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int is_refused(int listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    } address = {0};
    socklen_t length = sizeof address;
    const char *name = "http";
    char path[4096];

    if (getsockname(listener, &address.any, &length) != 0)
        return 0;
    if (address.any.sa_family == AF_UNIX) {
        const char *slash = strrchr(address.local.sun_path, '/');
        name = slash != NULL ? slash + 1 : address.local.sun_path;
    }
    snprintf(path, sizeof path, "%s/refuse-%s", FOLDER, name);
    if (access(path, F_OK) != 0)
        return 0;
    snprintf(path, sizeof path, "%s/attempts-%s", FOLDER, name);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
        if (write(file, "x", 1) != 1)
            perror(path);
        close(file);
    }
    return 1;
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
    if (is_refused(listener)) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_accept4, listener, address, length, flags);
}

int accept(int listener, struct sockaddr *address, socklen_t *length)
{
    return accept4(listener, address, length, 0);
}
