// Counts how often a process asks for memory, in a file that another one reads meanwhile: FOLDER/PID, one 64-bit number.
//
// Loaded under the name of a library that the program needs anyway, from a folder that LD_LIBRARY_PATH names, with that
// library behind it (see the Makefile). So it is the first to be asked for malloc, in every process of a program that
// hands LD_LIBRARY_PATH on. FOLDER is where this library itself lies. glibc only.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// What is asked for before there is a file is counted here, and moves there.
static _Atomic uint64_t early;
static _Atomic uint64_t *_Atomic count = &early;

static inline void counted(void) {
    atomic_fetch_add_explicit(atomic_load_explicit(&count, memory_order_relaxed), 1, memory_order_relaxed);
}

__attribute__((constructor)) static void begin(void) {
    Dl_info own;
    char path[PATH_MAX];
    if (dladdr((void *)begin, &own) == 0 || own.dli_fname == NULL) return;
    const char *name = strrchr(own.dli_fname, '/');
    if (name == NULL) return;
    int length = snprintf(path, sizeof path, "%.*s/%d", (int)(name - own.dli_fname), own.dli_fname, (int)getpid());
    if (length < 0 || length >= (int)sizeof path) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    void *shared = MAP_FAILED;
    if (ftruncate(file, sizeof(uint64_t)) == 0) {
        shared = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    if (shared == MAP_FAILED) return;
    _Atomic uint64_t *there = shared;
    atomic_store(&count, there);
    atomic_fetch_add(there, atomic_load(&early));
}

void *malloc(size_t size) {
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    counted();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    counted();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    counted();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    counted();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    counted();
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}
