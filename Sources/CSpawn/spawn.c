#define _GNU_SOURCE
#include "CSpawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// Between fork and exec, in a copy of a process whose other threads are gone: only async-signal-safe calls.

static _Noreturn void fail(int report, enum cspawn_stage stage) {
    struct cspawn_failure failure = {.stage = (int)stage, .error = errno};
    ssize_t written;
    do {
        written = write(report, &failure, sizeof failure);
    } while (written < 0 && errno == EINTR);
    _exit(127);
}

/// Returns the end of the text, where the terminating NUL is.
static char *write_decimal(char *text, unsigned long value) {
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *text++ = digits[--count];
    }
    *text = '\0';
    return text;
}

static void reset_signals(void) {
    // The kernel's own sigaction, all zero: the default, on every architecture. libc's function refuses the two
    // signals that libc keeps for itself, and those may have been inherited as ignored.
    static const unsigned long standard[8];
    for (int signal = 1; signal < NSIG; signal++) {
        syscall(SYS_rt_sigaction, signal, standard, NULL, sizeof(uint64_t));    // SIGKILL and SIGSTOP refuse
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int close_listed(int lowest) {
    // What getdents64(2) fills in; libc has no name for it.
    struct entry {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    _Alignas(struct entry) char buffer[2048];

    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return -1;
    }
    long count;
    while ((count = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < count;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            at += entry->length;
            int descriptor = 0;
            const char *digit = entry->name;
            for (; *digit >= '0' && *digit <= '9'; digit++) {
                descriptor = descriptor * 10 + (*digit - '0');
            }
            if (digit != entry->name && *digit == '\0' && descriptor >= lowest && descriptor != directory) {
                close(descriptor);
            }
        }
    }
    close(directory);
    return count < 0 ? -1 : 0;
}

static void close_from(int lowest, enum cspawn_closing closing) {
    if (closing == CSPAWN_CLOSING_BEST && syscall(SYS_close_range, (unsigned)lowest, ~0U, 0U) == 0) {
        return;
    }
    if (closing != CSPAWN_CLOSING_COUNTED && close_listed(lowest) == 0) {
        return;
    }
    struct rlimit limit;
    rlim_t end = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
    if (end > 1 << 20) {
        end = 1 << 20;
    }
    for (rlim_t descriptor = (rlim_t)lowest; descriptor < end; descriptor++) {
        close((int)descriptor);
    }
}

/// Puts `sources[i]` at i, the report right behind them, and closes everything else. Returns where the report is now.
static int place_descriptors(int *sources, long count, int report, enum cspawn_closing closing) {
    int end = (int)count;
    // First everything that stands where something else must go is lifted out of the way.
    if (report < end) {
        int lifted = fcntl(report, F_DUPFD_CLOEXEC, end);
        if (lifted < 0) {
            fail(report, CSPAWN_STAGE_DESCRIPTORS);
        }
        report = lifted;
    }
    for (long index = 0; index < count; index++) {
        if (sources[index] >= 0 && sources[index] < end) {
            sources[index] = fcntl(sources[index], F_DUPFD_CLOEXEC, end);
            if (sources[index] < 0) {
                fail(report, CSPAWN_STAGE_DESCRIPTORS);
            }
        }
    }
    for (int target = 0; target < end; target++) {
        int source = sources[target];
        if (source >= 0) {
            if (dup2(source, target) < 0) {
                fail(report, CSPAWN_STAGE_DESCRIPTORS);
            }
            continue;
        }
        close(target);
        // The lowest free number is the target, unless one below it was closed, which none is.
        if (open("/dev/null", O_RDWR) != target) {
            fail(report, CSPAWN_STAGE_DESCRIPTORS);
        }
    }
    if (report != end) {
        if (dup3(report, end, O_CLOEXEC) < 0) {
            fail(report, CSPAWN_STAGE_DESCRIPTORS);
        }
        report = end;
    }
    close_from(end + 1, closing);
    return report;
}

static _Noreturn void become(
    const struct cspawn_specification *specification, int *sources, long count, int report, pid_t parent
) {
    if (setpgid(0, 0) != 0) {
        fail(report, CSPAWN_STAGE_PROCESS_GROUP);
    }
    if (specification->death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, (unsigned long)specification->death_signal, 0UL, 0UL, 0UL) != 0) {
            fail(report, CSPAWN_STAGE_DEATH_SIGNAL);
        }
        // A parent that was gone before the line above will never send it.
        if (getppid() != parent) {
            _exit(127);
        }
    }
    if (specification->cgroup_procs >= 0 && write(specification->cgroup_procs, "0", 1) != 1) {
        fail(report, CSPAWN_STAGE_CGROUP);
    }
    if (specification->file_mode_mask >= 0) {
        umask((mode_t)specification->file_mode_mask);
    }
    if (specification->directory != NULL && chdir(specification->directory) != 0) {
        fail(report, CSPAWN_STAGE_DIRECTORY);
    }
    report = place_descriptors(sources, count, report, specification->closing);
    // After the descriptors: a lower limit must not get in the way of lifting them.
    for (long index = 0; index < specification->limit_count; index++) {
        const struct cspawn_limit *limit = &specification->limits[index];
        struct rlimit value = {.rlim_cur = (rlim_t)limit->soft, .rlim_max = (rlim_t)limit->hard};
        if (setrlimit((__rlimit_resource_t)limit->resource, &value) != 0) {
            fail(report, CSPAWN_STAGE_LIMITS);
        }
    }
    if (specification->listen_pid != NULL) {
        write_decimal(specification->listen_pid, (unsigned long)getpid());
    }
    reset_signals();
    execve(specification->path, specification->argv, specification->envp);
    fail(report, CSPAWN_STAGE_EXEC);
}

enum cspawn_stage cspawn(const struct cspawn_specification *specification, struct cspawn_child *child) {
    long given = specification->descriptor_count;
    long count = given < 3 ? 3 : given;
    int *sources = calloc((size_t)count, sizeof *sources);
    if (sources == NULL) {
        return CSPAWN_STAGE_PREPARE;
    }
    for (long index = 0; index < count; index++) {
        sources[index] = index < given ? specification->descriptors[index] : -1;
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        free(sources);
        return CSPAWN_STAGE_PREPARE;
    }

    // No handler of the parent's may run in the child before its dispositions are reset.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(specification, sources, count, report[1], parent);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    free(sources);
    if (pid < 0) {
        close(report[0]);
        errno = error;
        return CSPAWN_STAGE_FORK;
    }

    // Nobody has reaped the child yet, so this pid is still its own.
    int pidfd = cspawn_pidfd_open(pid);
    if (pidfd < 0) {
        error = errno;
        close(report[0]);
        kill(pid, SIGKILL);
        cspawn_reap(pid, 1, NULL);
        errno = error;
        return CSPAWN_STAGE_PIDFD;
    }
    *child = (struct cspawn_child){.pid = pid, .pidfd = pidfd, .report = report[0]};
    return CSPAWN_STAGE_NONE;
}
