#ifndef CSPAWN_H
#define CSPAWN_H

// Plain C types and no header of libc: Swift would see libc's types by way of this module too, and take their access
// from an import that is not the one meant. `int` stands for pid_t, `long` for counts.

/// What a new process was being made ready for when it failed.
enum cspawn_stage {
    CSPAWN_STAGE_NONE = 0,
    // In the parent; no process is left behind.
    CSPAWN_STAGE_PREPARE,
    CSPAWN_STAGE_FORK,
    CSPAWN_STAGE_PIDFD,
    // In the child, between fork and exec.
    CSPAWN_STAGE_PROCESS_GROUP,
    CSPAWN_STAGE_DEATH_SIGNAL,
    CSPAWN_STAGE_CGROUP,
    CSPAWN_STAGE_DIRECTORY,
    CSPAWN_STAGE_DESCRIPTORS,
    CSPAWN_STAGE_LIMITS,
    CSPAWN_STAGE_EXEC,
};

/// How the descriptors that the child must not see are closed.
enum cspawn_closing {
    /// close_range(2), and where that fails the next two in turn.
    CSPAWN_CLOSING_BEST = 0,
    /// The entries of /proc/self/fd, and where that cannot be read the next.
    CSPAWN_CLOSING_LISTED,
    /// Every number up to the soft limit of open files.
    CSPAWN_CLOSING_COUNTED,
};

struct cspawn_limit {
    int resource;
    unsigned long long soft;
    unsigned long long hard;
};

/// Everything the child needs, made ready before the fork: between fork and exec nothing is allocated.
struct cspawn_specification {
    /// Given to execve(2) as it is, after the change of directory. No search.
    const char *path;
    char *const *argv;
    char *const *envp;
    /// Where the child writes its own pid in decimal: a place inside a string of `envp` with room for 12 bytes. May
    /// be NULL.
    char *listen_pid;
    /// `descriptors[i]` becomes descriptor i; -1 stands for /dev/null. Below three, /dev/null fills up.
    /// Any order and any overlap with the targets is right. All other descriptors are closed.
    const int *descriptors;
    long descriptor_count;
    enum cspawn_closing closing;
    const struct cspawn_limit *limits;
    long limit_count;
    /// NULL keeps the parent's.
    const char *directory;
    /// An open cgroup.procs, or -1.
    int cgroup_procs;
    /// -1 keeps the parent's.
    int file_mode_mask;
    /// 0: none. It comes when the *thread* that called `cspawn` ends.
    int death_signal;
};

struct cspawn_child {
    int pid;
    int pidfd;
    /// The read end of a pipe, to be closed by the caller: end of file once the program runs, or one `cspawn_failure`.
    int report;
};

struct cspawn_failure {
    int stage;
    int error;
};

/// Forks and lets the child set itself up and exec. Does not wait for the exec: see `report`.
///
/// Returns CSPAWN_STAGE_NONE and fills in `child`, or a stage of the parent with `errno` set.
enum cspawn_stage cspawn(const struct cspawn_specification *specification, struct cspawn_child *child);

/// Starts a detached thread that has every signal blocked except SIGCHLD and its own faults. Returns 0 or an
/// errno.
int cspawn_thread(void (*body)(void *context), void *context, const char *name);

/// An eventfd that counts SIGCHLD, whatever signal masks the process's threads have. The same one every time. -1:
/// `errno`.
int cspawn_child_events(void);

/// What became of a child.
struct cspawn_exit {
    /// An exit code, or a signal's number when `signaled`.
    int status;
    int signaled;
    int core_dumped;
};

/// waitid(2) for one pid. 1: reaped, `exit` is filled in. 0: still running (only without `block`). -1: `errno`.
int cspawn_reap(int pid, int block, struct cspawn_exit *exit);

int cspawn_pidfd_open(int pid);
int cspawn_pidfd_send_signal(int pidfd, int signal);

/// Makes this process the new parent of its orphaned descendants.
int cspawn_enable_subreaper(void);
/// 1: this process adopts orphans, by `cspawn_enable_subreaper` or as process 1.
int cspawn_is_subreaper(void);

/// PR_SET_DUMPABLE 0: no core, no tracing, and /proc/PID is root's. A program that is executed is dumpable again.
int cspawn_make_undumpable(void);
int cspawn_is_dumpable(void);

/// A nonblocking eventfd.
int cspawn_eventfd(void);
/// A nonblocking signalfd.
int cspawn_signalfd(const int *signals, long count);
/// The next signal from a signalfd, or 0 when there is none now.
int cspawn_signalfd_next(int descriptor);
/// Blocks signals in the calling thread (new threads inherit that) and ignores SIGPIPE.
int cspawn_block_signals(const int *signals, long count);

/// pipe2(2), close-on-exec.
int cspawn_pipe(int ends[2], int nonblocking);
/// Asks for a pipe's capacity; the kernel rounds up. Returns the new capacity or -1.
int cspawn_widen_pipe(int descriptor, int bytes);
/// Blocks from so many bytes on are asked of the system one by one, and given back when they are freed.
void cspawn_heap_map_large(int bytes, int kept);
/// What of the heap is free and could be given back to the system, in bytes.
long cspawn_heap_free_bytes(void);
/// malloc_trim(3): gives back what is free. Walks through the heap: milliseconds when it is large.
void cspawn_heap_trim(void);

/// Locks a whole file for its open file description (F_OFD_SETLK), without waiting. 0, or -1 and `errno`: EAGAIN when
/// another one has it.
int cspawn_lock_file(int descriptor);
/// Ends that, also where a process that has just been forked has the description still. 0, or -1 and `errno`.
int cspawn_unlock_file(int descriptor);

/// getxattr(2).
long cspawn_getxattr(const char *path, const char *name, void *value, long size);

#endif
