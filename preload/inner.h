/*
 * inner.h - what preload/ offers the shim, and the little it asks of it.
 *
 * The recording path itself is in record.h. Everything here is cold: it may make
 * system calls, never allocates from the program's heap, keeps errno where it is
 * called from a wrapper, and is safe from any thread unless it says otherwise.
 */
#ifndef VPROF_PRELOAD_INNER_H
#define VPROF_PRELOAD_INNER_H

#include <stddef.h>
#include <stdint.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

/* ---- offered to the shim ---- */

/*
 * Appends a definition to the ring: `size` bytes of `def` (its head needs only
 * `type`), then `name` (cut at VPROF_LONGEST_NAME) with its NUL. Returns its id, 0 when
 * there is no ring or no room (counted).
 */
enum { VPROF_LONGEST_NAME = 4096 };
uint32_t vprof_define(const void *def, size_t size, const char *name) HIDDEN;

/* Has this process a ring? */
int vprof_has_ring(void) HIDDEN;

/* Has it one, and was any of these groups chosen for it, or is recorded now? */
int vprof_chosen(uint32_t groups) HIDDEN;

/* Would half of the log still be free after `size` more bytes? It is kept for names of kernels. */
int vprof_define_spares(size_t size) HIDDEN;

/* As vprof_define(), for what respects that: all that a program can make over and over. */
uint32_t vprof_define_sparing(const void *def, size_t size, const char *name) HIDDEN;

/* The definition with this id in our own ring, NULL when there is none. */
const struct vprof_def *vprof_definition(uint32_t id) HIDDEN;

/* Makes the ring, as a first recorded call does, for a call that is not recorded. 1 when there is one. */
int vprof_ring_want(void) HIDDEN COLD;

/*
 * There is no ring of this process. Is there its parent's? Then its next call makes one, also where the
 * parent records nothing. For children that no handler of fork() has told.
 */
void vprof_start_child(void) HIDDEN COLD;

/* Counts a loss, in the ring or, when there is none, in the process. */
void vprof_lose(enum vprof_loss reason) HIDDEN COLD;

/* The name (VPROF_DEF_TEXT) of the innermost range that the calling thread is in; 0: none, or not defined. */
uint32_t vprof_range_now(void) HIDDEN;

/*
 * A loaded object whose file name begins with `soname` ("libcuda.so."), found without a dl* call
 * and so without an effect on dlerror(): 0, or -ENOENT.
 */
struct vprof_object {
	uintptr_t base, text_start, text_end; /* load address; lowest and highest mapped byte + 1 */
	const void *dynamic;                  /* its PT_DYNAMIC; NULL: not found */
};
int vprof_object_find(const char *soname, struct vprof_object *object) HIDDEN;

/* The driver, libcuda.so.1 or, when a program has loaded it by the name without a version, that: 0, or -ENOENT. */
int vprof_driver_find(struct vprof_object *object) HIDDEN;

/* Its definition, read from its own tables; NULL: it has none. */
void *vprof_object_symbol(const struct vprof_object *object, const char *symbol) HIDDEN;

/*
 * What a call of `symbol` through the PLT would reach if we were not loaded: the first
 * definition behind ours in the loader's order. Another preload's, libc's, or NULL.
 */
void *vprof_next_symbol(const char *symbol) HIDDEN;

/*
 * The objects that were loaded with the program between us and libc: other preloads, and
 * the program's own libraries. What they define comes before a library that is opened later.
 * Returns how many stand in `list`.
 */
size_t vprof_objects_behind(struct vprof_object *list, size_t room) HIDDEN;

/* cuProfilerStart (1) or cuProfilerStop (0) has succeeded. */
void vprof_capture_profiler(int start) HIDDEN COLD;

/*
 * A launch on the slow way takes one of those that a limit has left, before it is recorded; then it says
 * that it has been, or gives it back. Never waits.
 */
enum { VPROF_LAUNCH_FREE = 0, VPROF_LAUNCH_REFUSED = 1, VPROF_LAUNCH_TAKEN = 2, VPROF_LAUNCH_SEEN = 4 };
uint64_t vprof_launch_take(void) HIDDEN COLD;
void vprof_launch_made(uint64_t launch) HIDDEN COLD;
void vprof_launch_drop(uint64_t launch) HIDDEN COLD;

/* 0 when VPROF_ENABLE=0: hand out no wrapper, record nothing. */
int vprof_enabled(void) HIDDEN;

/* 0 when VPROF_FACTS=0: ask the driver nothing about kernels. */
int vprof_wants_facts(void) HIDDEN;

/* 1 when VPROF_SAVE_MODULES=1: what is loaded is kept beside the ring. */
int vprof_saves_modules(void) HIDDEN;

/*
 * Keeps a copy of `bytes` beside the ring's entry, in a file named by their hash and `suffix`, unless
 * it is there already. 0, or a negative errno: counted, and said once. Keeps errno; cancellation
 * is off.
 */
struct vprof_saved {
	uint64_t hash;   /* FNV-1a, 64 bits */
	char name[64];   /* of the file, without its folder */
};
int vprof_save(const void *bytes, uint64_t size, const char *suffix, struct vprof_saved *saved) HIDDEN COLD;

/* Zeroed memory of our own, for tables; NULL when there is none. Never given back. */
void *vprof_table(size_t bytes) HIDDEN;

/* The number of the window of recording that is open; 0: none. */
uint64_t vprof_window_open(void) HIDDEN;

/* How many launches get stamps: VPROF_GPU, and what it is now (control.gpu). 0 without a ring. */
uint32_t vprof_gpu_start(void) HIDDEN;
uint32_t vprof_gpu_now(void) HIDDEN;

/* Do whole graphs get stamps now (control.gpu_spans)? And when operations of streams do. 0 without a ring. */
int vprof_gpu_spans_now(void) HIDDEN;
struct vprof_gpu_window {
	uint32_t open_us, period_us; /* so long, once in so long; 0: never */
};
struct vprof_gpu_window vprof_gpu_window_now(void) HIDDEN;

/* Which calls may get stamps, and so take the slow way from now on: what is put onto streams, graphs. Housekeeping. */
void vprof_launches_stamped(int operations, int graphs) HIDDEN;

/* VPROF_GPU_TWINS; VPROF_GPU_PARTS, 0: as the graph is. */
uint32_t vprof_gpu_twins(void) HIDDEN;
uint32_t vprof_gpu_parts(void) HIDDEN;

/* One line on stderr, unless VPROF_QUIET: "vprof: pid N: ...". %s %d %u only. */
void vprof_log(const char *format, ...) HIDDEN COLD __attribute__((format(printf, 1, 2)));

/* The dlsym behind ours in the loader's order: libc's, or another preload's. */
extern void *(*vprof_real_dlsym)(void *handle, const char *name) HIDDEN;

/* ---- asked of the shim ---- */

/*
 * dlsym() found `real` for `name` (which begins with "cu" and a capital): returns the wrapper to
 * hand out in its place, or `real` itself.
 */
void *vprof_shim_swap(const char *name, void *real) HIDDEN;

/* Is `address` one of our own exported cu* wrappers? */
int vprof_shim_owns(const void *address) HIDDEN;

/*
 * Is the driver loaded? After a yes every wrapper has a real function to call, if only one that
 * returns an error. Without a driver nothing is recorded: the call is for a library of the program's
 * own that has a function by the same name, or for nobody.
 */
int vprof_shim_has_driver(void) HIDDEN;

/* Called once before the first record of a process, with the driver there and the first call waiting. */
void vprof_shim_start(void) HIDDEN;

/* A ring has been made (again in a forked child): put the names of the calls into it. */
void vprof_shim_ring_ready(void) HIDDEN;

/*
 * By housekeeping, again and again: reads what stamps have stored, without a call to the driver. Returns in
 * how many ns it wants to be called again; UINT64_MAX: when it comes to pass.
 */
uint64_t vprof_shim_gpu_round(void) HIDDEN;

/* The process ends: the last stamps, and no call to the driver from now on. */
void vprof_shim_leave(void) HIDDEN;

#endif
