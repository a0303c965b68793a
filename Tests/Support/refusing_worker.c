/* Preloaded into every process of a bridge: as long as FOLDER/refuse-NAME exists, each process of the worker
 * `upstream NAME` ends before it has begun, and wants not to be started again.
 *
 * FOLDER is given by the compiler's -D. Each start of such a worker adds a byte to FOLDER/starts-NAME.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* EX_CONFIG. */
enum { DO_NOT_RESTART = 78 };

__attribute__((constructor)) static void begin(int count, char **arguments, char **environment)
{
    char path[4096];

    (void)environment;
    if (count < 4 || strcmp(arguments[1], "worker") != 0 || strcmp(arguments[2], "upstream") != 0)
        return;
    snprintf(path, sizeof path, "%s/starts-%s", FOLDER, arguments[3]);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
        if (write(file, "x", 1) != 1)
            perror(path);
        close(file);
    }
    snprintf(path, sizeof path, "%s/refuse-%s", FOLDER, arguments[3]);
    if (access(path, F_OK) == 0)
        _exit(DO_NOT_RESTART);
}
