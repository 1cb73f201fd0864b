/*
 * process.h - the ring of this process and what stands around it.
 *
 * Private to preload/. One thread makes the ring (start.c, under its own state
 * word); from then on the pointers below are constant until a forked child makes a
 * ring of its own.
 */
#ifndef VPROF_PRELOAD_PROCESS_H
#define VPROF_PRELOAD_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include "preload/compiler.h"
#include "preload/record.h"
#include "vprof/ring.h"

struct vprof_map {
	struct vprof_ring_header *header; /* the start of the mapping; NULL: no ring */
	size_t size;
	void *word;                       /* for vprof_word_share(), NULL behind it */
	struct vprof_ring_control *control;
	struct vprof_ring_live *live;
	struct vprof_anchor *anchors;
	struct vprof_lane *lanes;
	uint32_t lane_count, chunk_count;
	uint8_t *defs;
	uint64_t defs_size;
	uint64_t defs_floor;              /* bytes that the names of the calls take, which every ring has */
	struct vprof_holding *holdings;
	uint32_t holding_count;           /* a power of two, or 0 */
	struct vprof_chunk *chunks;
	int on_memory;                    /* the pages are tmpfs: writing never waits for storage */
};

extern struct vprof_map vprof_map HIDDEN;

/* Is there a ring of this process, and not of its parent? Pairs with the release in vprof_fork_watch(). */
static inline int vprof_ring_is_ours(void)
{
	return __atomic_load_n(&vprof_state.life, __ATOMIC_ACQUIRE) && vprof_map.header;
}

/* May the calling thread write into the ring outside of records? It is ours, or this thread is making it. */
int vprof_ring_is_writable(void) HIDDEN;

/*
 * Makes the ring's file and maps it: 0 or a negative errno, with one line on stderr
 * about the file. The caller has blocked signals and is the only one.
 */
int vprof_ring_create(struct vprof_map *map) HIDDEN;

/* Undoes that: nothing is left of it. Before anybody else knows it. */
void vprof_ring_unmake(struct vprof_map *map) HIDDEN;

/* The page of a ring's file that has the control word, once more (MAP_FAILED), and its end; word.c. */
void *vprof_word_map(int fd) HIDDEN;
void vprof_word_unmap(void *word) HIDDEN;

/* Hooks go by the ring's control word from now on: 0 or a negative errno, and then map->word is gone. */
int vprof_word_share(struct vprof_map *map) HIDDEN;

/* They go by a word of our own again, with these groups. */
void vprof_word_own(uint32_t groups) HIDDEN;

/* Do they go by a ring's, if only that of the process that we are a child of? */
int vprof_word_is_shared(void) HIDDEN;

/* Where the ring's entry lies: an absolute path. Constant once there is a ring. */
const char *vprof_out_folder(void) HIDDEN;

/* Path of the ring's entry there, which may be a link to it; constant likewise. */
const char *vprof_ring_entry(void) HIDDEN;

/* HOST.PID.START, with which the names of the ring and of all that belongs to it begin. */
struct vprof_text;
void vprof_ring_name(struct vprof_text *name, const struct vprof_ring_header *header) HIDDEN;

/* Fills in who this process is: all of the header but the layout. */
void vprof_header_fill(struct vprof_ring_header *header) HIDDEN;

/*
 * How large the ring is to be, in bytes, a multiple of the chunk size; ring_layout.c. A negative errno: the
 * program's limits leave no room for one.
 */
int64_t vprof_ring_size(void) HIDDEN;

/* The layout: where everything lies in a file of `size` bytes. */
void vprof_ring_lay_out(struct vprof_ring_header *header, uint64_t size) HIDDEN;

/* As much of a file as there is room for, as a string: its length; 0 when it cannot be read. */
size_t vprof_read_file(const char *path, char *text, size_t size) HIDDEN;

/* The main thread's name, and the arguments with blanks between, which are the title where there is one. */
void vprof_process_names(char *comm, size_t comm_size, char *command, size_t command_size) HIDDEN;

/* Adds an anchor to the clock page. Any thread. */
void vprof_ring_anchor(struct vprof_map *map) HIDDEN;

/* Rewrites title and comm of the live page from /proc. Housekeeping and creation only. */
void vprof_ring_title(struct vprof_map *map) HIDDEN;

/* Forgets all lanes: a new ring begins. */
void vprof_lanes_reset(void) HIDDEN;

/* A record for the calling thread, whose chunk is missing or full. Cold half of vprof_begin(). */
struct vprof_record vprof_lane_begin(void) HIDDEN;

/* Gives the calling thread's lane back. */
void vprof_lane_leave(void) HIDDEN;

/* The calling thread's end is to be noticed, though it has no lane. */
void vprof_lane_watch_exit(void) HIDDEN;

/*
 * Tells the open ranges of the calling thread in its new chunk; and gives back what it kept of
 * them, at its end. `ranges.c`.
 */
void vprof_ranges_tell_again(void) HIDDEN;
void vprof_ranges_leave(void) HIDDEN;

/* In a forked child: those of other threads are nobody's. */
void vprof_ranges_child(void) HIDDEN;

/* Room to keep counts for the threads of a new ring; count.c. */
void vprof_counts_init(uint32_t lanes) HIDDEN;

/* The calling thread has taken this lane (NULL: left it): what it counts from now on is its own. */
void vprof_counts_enter(struct vprof_lane *lane) HIDDEN;

/* The thread goes on in another chunk, where nothing has been counted yet. */
void vprof_counts_turn(void) HIDDEN;

/* Names of the living threads, again. */
void vprof_lanes_refresh(void) HIDDEN;

/* Starts the housekeeping thread for the present ring. 0 or a negative errno. */
int vprof_housekeeping_start(void) HIDDEN;

/* In a forked child: what it calls makes a ring, whatever the parent's records. */
void vprof_start_again(void) HIDDEN;

/* Has every thread of a forked child begin anew; `fork.c`. */
void vprof_fork_init(void) HIDDEN;
int vprof_fork_watch(void) HIDDEN;
void vprof_fork_forget_parent(void) HIDDEN;

/* 1 in a vfork() child, which shares our memory and must leave no trace in it. */
extern __thread int vprof_in_vfork_child HIDDEN TLS_INITIAL_EXEC;

/* The lane of the calling thread, NULL before its first record. */
extern __thread struct vprof_lane *vprof_lane HIDDEN TLS_INITIAL_EXEC;

/* What stands behind `name`, which ends in '='; NULL: it is not set. */
const char *vprof_environ_value(const char *name) HIDDEN;

/* The environment as the kernel laid it out, with the auxiliary vector behind it. From the constructor. */
void vprof_environ_initial(char **stack) HIDDEN;

/*
 * Puts an entry that stays where it is into the environment, in the place of one that begins with `name`, which
 * ends in '='. `room`: for the new array, when it is large enough.
 */
void vprof_environ_put(char *entry, const char *name, char **room, size_t room_count) HIDDEN;

/* Does VPROF_NVTX want anything of NVTX recorded? `patterns`: of what; NULL: of everything. */
int vprof_nvtx_is_wanted(const char **patterns) HIDDEN;

/* Sets NVTX_INJECTION64_PATH, see nvtx_env.c. From the constructor. */
void vprof_nvtx_announce(void) HIDDEN;

/* Children that change directory still write beside us: VPROF_OUT becomes `path`. */
void vprof_environ_pin(const char *path) HIDDEN;

/* Removes rings on tmpfs whose entry in the output folder the user has deleted. */
void vprof_sweep(const char *folder) HIDDEN;

#endif
