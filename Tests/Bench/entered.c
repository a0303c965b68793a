// entered ADDRESSES OUT PROGRAM [ARGUMENT...]: runs the program, and writes down which of its functions are entered, in it and in
// all processes that it starts from the same file.
//
// ADDRESSES has the functions' addresses in the file, in rising order, one a line, in hexadecimal. OUT has a line for each
// function that a process enters for the first time: its address. SIGUSR1 begins anew: the line is `again`, and
// functions that have been entered are written down once more. The program and all that it has started die with this one.
//
// Each function begins with a breakpoint until it is entered. A byte is written at once, so other threads need not stop. It takes
// root: a process that keeps secrets shows its memory to nobody else.
#ifndef __x86_64__
#error "breakpoints and registers are those of x86-64"
#endif
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BREAKPOINT = 0xCC, MOST_PROCESSES = 1024 };

struct process {
    pid_t id;
    int memory;
    uint64_t base; // Where the file is; 0: it runs another one.
};

static uint64_t *addresses;
static size_t count;
static uint8_t *first_bytes; // Of the functions, in their order.
static char program[4096];
static struct process processes[MOST_PROCESSES];
static size_t known;
static FILE *out;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_addresses(const char *path) {
    FILE *file = fopen(path, "re");
    uint64_t address;
    size_t room = 0;
    if (file == NULL) fail(path);
    while (fscanf(file, "%" SCNx64, &address) == 1) {
        if (count == room) addresses = realloc(addresses, (room = room * 2 + 1024) * sizeof *addresses);
        if (addresses == NULL) fail("memory");
        addresses[count++] = address;
    }
    fclose(file);
    if (count == 0) exit(1);
}

// The process that a thread is of.
static pid_t process_of(pid_t thread) {
    char path[64], line[256];
    int id = thread;
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL && sscanf(line, "Tgid: %d", &id) != 1) {}
    if (file != NULL) fclose(file);
    return id;
}

static uint64_t base_of(pid_t id) {
    char path[64], line[8192];
    uint64_t base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", id);
    FILE *file = fopen(path, "re");
    while (file != NULL && base == 0 && fgets(line, sizeof line, file) != NULL) {
        char *name = strchr(line, '/');
        line[strcspn(line, "\n")] = 0;
        if (name != NULL && strcmp(name, program) == 0) base = strtoull(line, NULL, 16);
    }
    if (file != NULL) fclose(file);
    return base;
}

static struct process *look_up(pid_t id) {
    for (size_t i = 0; i < known; i++)
        if (processes[i].id == id) return &processes[i];
    return NULL;
}

static struct process *meet(pid_t id, uint64_t base) {
    struct process *process = look_up(id);
    char path[64];
    if (process == NULL) {
        if (known == MOST_PROCESSES) exit(1);
        process = &processes[known++];
    } else {
        close(process->memory);
    }
    snprintf(path, sizeof path, "/proc/%d/mem", id);
    *process = (struct process){id, open(path, O_RDWR | O_CLOEXEC), base};
    return process;
}

static void arm(const struct process *process) {
    size_t length = addresses[count - 1] - addresses[0] + 1;
    off_t start = (off_t)(process->base + addresses[0]);
    if (process->base == 0) return;
    uint8_t *text = malloc(length);
    if (text == NULL) fail("memory");
    // It may have ended.
    if (pread(process->memory, text, length, start) != (ssize_t)length) return free(text);
    if (first_bytes == NULL) {
        first_bytes = malloc(count);
        for (size_t i = 0; i < count; i++) first_bytes[i] = text[addresses[i] - addresses[0]];
    }
    for (size_t i = 0; i < count; i++) text[addresses[i] - addresses[0]] = BREAKPOINT;
    if (pwrite(process->memory, text, length, start) != (ssize_t)length) fail("memory of a process");
    free(text);
}

static void begin_anew(void) {
    for (size_t i = 0; i < known; i++) arm(&processes[i]);
    fputs("again\n", out);
}

static int compare(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

// Whether the thread has met one of the breakpoints; then it goes on without it.
static int has_entered(pid_t thread) {
    struct process *process = look_up(process_of(thread));
    struct user_regs_struct registers;
    if (process == NULL || process->base == 0 || ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return 0;
    uint64_t address = registers.rip - 1 - process->base;
    uint64_t *found = bsearch(&address, addresses, count, sizeof *addresses, compare);
    if (found == NULL) return 0;
    if (pwrite(process->memory, &first_bytes[found - addresses], 1, (off_t)(process->base + address)) != 1) return 0;
    registers.rip--;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
    fprintf(out, "%" PRIx64 "\n", address);
    return 1;
}

// A process that was forked has its parent's memory, with the breakpoints in it.
static void meet_child_of(pid_t thread) {
    unsigned long child = 0;
    struct process *parent = look_up(process_of(thread));
    ptrace(PTRACE_GETEVENTMSG, thread, 0, &child);
    if (process_of((pid_t)child) == (pid_t)child) meet((pid_t)child, parent == NULL ? 0 : parent->base);
}

// Returns the signal that the thread is to have.
static int look_at(pid_t thread, int status) {
    switch (status >> 16) {
    case 0: break;
    case PTRACE_EVENT_EXEC: arm(meet(thread, base_of(thread))); return 0;
    default: meet_child_of(thread); return 0;
    }
    int signal_number = WSTOPSIG(status);
    if (signal_number == SIGTRAP && has_entered(thread)) return 0;
    // A thread that is new begins by being stopped.
    return signal_number == SIGSTOP ? 0 : signal_number;
}

// Whether there is anybody left to look at.
static int look_at_all(void) {
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
        if (thread == 0) return 1;
        if (thread < 0) return errno != ECHILD;
        if (WIFSTOPPED(status)) ptrace(PTRACE_CONT, thread, 0, look_at(thread, status));
    }
}

int main(int argument_count, char **arguments) {
    if (argument_count < 4) return 2;
    read_addresses(arguments[1]);
    out = fopen(arguments[2], "we");
    if (out == NULL) fail(arguments[2]);
    setvbuf(out, NULL, _IOLBF, 0);
    if (realpath(arguments[3], program) == NULL) fail(arguments[3]);
    signal(SIGCHLD, SIG_DFL);
    // They are waited for together: none of them comes unseen between a look and a wait.
    sigset_t news, before;
    sigemptyset(&news);
    sigaddset(&news, SIGUSR1);
    sigaddset(&news, SIGCHLD);
    sigprocmask(SIG_BLOCK, &news, &before);
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(arguments[3], arguments + 3);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) fail("fork");
    ptrace(PTRACE_SETOPTIONS, child, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, child, 0, 0);
    while (look_at_all())
        if (sigwaitinfo(&news, NULL) == SIGUSR1) begin_anew();
    return 0;
}
