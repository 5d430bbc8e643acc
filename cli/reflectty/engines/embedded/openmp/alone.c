/* The functions of GNU OpenMP that llama.cpp asks for, with a team of one thread: whoever calls does the work.
 *
 * It needs no other library, not even that of C. Only the functions that the package names are here; loops hand
 * out their whole range at once. From the folder of this file, for each processor with its own compiler:
 *
 *   gcc -O2 -fPIC -shared -nostdlib -ffreestanding -s -Wl,-soname,libgomp.so.1 -Wl,--version-script=alone.map \
 *       -Wl,--build-id=none -Wl,-z,noseparate-code -o libgomp.x86_64.so.1 alone.c
 *   aarch64-linux-gnu-gcc -mno-outline-atomics (the same) -o libgomp.aarch64.so.1 alone.c
 */

static char taken;

void GOMP_parallel(void (*work)(void *), void *data, unsigned threads, unsigned flags)
{
    (void)threads, (void)flags;
    work(data);
}

void GOMP_barrier(void) {}

_Bool GOMP_single_start(void) { return 1; }

_Bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long *first, long *behind)
{
    (void)chunk;
    *first = start;
    *behind = end;
    return step > 0 ? start < end : start > end;
}

_Bool GOMP_loop_nonmonotonic_dynamic_next(long *first, long *behind)
{
    (void)first, (void)behind;
    return 0;
}

void GOMP_loop_end(void) {}

/* Threads that no team knows of may come here at the same time. */
void GOMP_atomic_start(void)
{
    while (__atomic_test_and_set(&taken, __ATOMIC_ACQUIRE)) {
    }
}

void GOMP_atomic_end(void) { __atomic_clear(&taken, __ATOMIC_RELEASE); }

int omp_get_thread_num(void) { return 0; }

int omp_get_num_threads(void) { return 1; }
