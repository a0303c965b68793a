#define _GNU_SOURCE
#include "CSpawn.h"

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

// Calls that Swift's Glibc module does not show: variadic ones, macros, unions, and headers it leaves out.

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int cspawn_pidfd_open(int pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0U);
}

int cspawn_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U);
}

int cspawn_reap(int pid, int block, struct cspawn_exit *exit) {
    siginfo_t info;
    int result;
    do {
        info.si_pid = 0;
        result = waitid(P_PID, (id_t)pid, &info, WEXITED | (block ? 0 : WNOHANG));
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        return -1;
    }
    if (info.si_pid == 0) {
        return 0;
    }
    if (exit != NULL) {
        exit->status = info.si_status;
        exit->signaled = info.si_code != CLD_EXITED;
        exit->core_dumped = info.si_code == CLD_DUMPED;
    }
    return 1;
}

int cspawn_enable_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

int cspawn_is_subreaper(void) {
    int enabled = 0;
    if (getpid() == 1) {
        return 1;
    }
    return prctl(PR_GET_CHILD_SUBREAPER, &enabled, 0UL, 0UL, 0UL) == 0 && enabled;
}

int cspawn_make_undumpable(void) {
    return prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
}

int cspawn_is_dumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) == 1;
}

int cspawn_eventfd(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void fill(sigset_t *set, const int *signals, long count) {
    sigemptyset(set);
    for (long index = 0; index < count; index++) {
        sigaddset(set, signals[index]);
    }
}

int cspawn_signalfd(const int *signals, long count) {
    sigset_t set;
    fill(&set, signals, count);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int cspawn_signalfd_next(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count;
    do {
        count = read(descriptor, &info, sizeof info);
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int cspawn_block_signals(const int *signals, long count) {
    sigset_t set;
    fill(&set, signals, count);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    return pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cspawn_pipe(int ends[2], int nonblocking) {
    return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

long cspawn_getxattr(const char *path, const char *name, void *value, long size) {
    return getxattr(path, name, value, (size_t)size);
}

int cspawn_widen_pipe(int descriptor, int bytes) {
    return fcntl(descriptor, F_SETPIPE_SZ, bytes);
}

// SIGCHLD has a handler and no signalfd: by default it is ignored, and then it is lost as soon as one thread of the
// process has it unblocked. A handler can reach nothing but a global.

static int child_events = -1;
static pthread_once_t child_events_once = PTHREAD_ONCE_INIT;

static void child_event(int signal) {
    (void)signal;
    int before = errno;
    uint64_t one = 1;
    ssize_t ignored = write(child_events, &one, sizeof one);
    (void)ignored;
    errno = before;
}

static void open_child_events(void) {
    child_events = cspawn_eventfd();
    if (child_events >= 0) {
        struct sigaction action = {.sa_handler = child_event, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
        sigfillset(&action.sa_mask);
        sigaction(SIGCHLD, &action, NULL);
    }
}

int cspawn_child_events(void) {
    pthread_once(&child_events_once, open_child_events);
    return child_events;
}

struct thread_start {
    void (*body)(void *);
    void *context;
    const char *name;
    sem_t started;
};

static void *run_thread(void *argument) {
    struct thread_start *start = argument;
    void (*body)(void *) = start->body;
    void *context = start->context;
    prctl(PR_SET_NAME, start->name, 0UL, 0UL, 0UL);
    // Faults of this thread's own are left to whoever reports crashes.
    const int open[] = {SIGCHLD, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
    sigset_t unblocked;
    fill(&unblocked, open, (long)(sizeof open / sizeof *open));
    pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
    sem_post(&start->started);    // `start` is gone from here on
    body(context);
    return NULL;
}

int cspawn_thread(void (*body)(void *), void *context, const char *name) {
    struct thread_start start = {.body = body, .context = context, .name = name};
    if (sem_init(&start.started, 0, 0) != 0) {
        return errno;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_thread, &start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_detach(thread);
        while (sem_wait(&start.started) != 0) {
        }
    }
    sem_destroy(&start.started);
    return error;
}

long cspawn_heap_free_bytes(void) {
    struct mallinfo2 heap = mallinfo2();
    return (long)heap.fordblks;
}

void cspawn_heap_map_large(int bytes, int kept)
{
	mallopt(M_MMAP_THRESHOLD, bytes);
	/* With the threshold above set, the allocator stops adapting this one: it would stay at 128 KiB, and every larger block
	   at the heap's end would be given back and asked for again, page faults included, with each message. */
	mallopt(M_TRIM_THRESHOLD, kept);
}

void cspawn_heap_trim(void) { malloc_trim(0); }

int cspawn_lock_file(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int cspawn_unlock_file(int descriptor) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}
