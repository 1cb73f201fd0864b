/*
 * chunk.c - chunks: where a lane's records go.
 *
 * A lane takes a chunk each time the last one is full, without locks: by a ticket and compare-and-swap on
 * `held`. Tickets go round the file, so the chunk that comes up is the oldest that no lane holds. The thread's
 * cursor says where in it the next record goes.
 */
#include "preload/chunk.h"
#include "preload/inner.h"
#include "preload/process.h"

void vprof_cursor_set(struct vprof_chunk *chunk)
{
	vprof_cursor_void();
	vprof_counts_turn();
	vprof_cursor.chunk = chunk;
	vprof_cursor.life = vprof_is_alive();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&vprof_cursor.at, chunk->head.base + chunk->head.used, __ATOMIC_RELAXED);
}

/* Until no handler has come in between: the last to store has the last word. */
void vprof_cursor_tell(struct vprof_chunk *chunk)
{
	uint64_t at;

	do {
		at = vprof_cursor_at();
		__atomic_store_n(&chunk->head.used,
				 __atomic_load_n(&vprof_cursor.chunk, __ATOMIC_RELAXED) == chunk ?
					 vprof_cursor_index() :
												   VPROF_CHUNK_SLOTS,
				 __ATOMIC_RELAXED);
	} while (vprof_cursor_at() != at);
}

struct vprof_chunk *vprof_cursor_leave(void)
{
	struct vprof_chunk *chunk = vprof_cursor.chunk;
	uint64_t at = __atomic_exchange_n(&vprof_cursor.at, 0, __ATOMIC_RELAXED);

	vprof_cursor_void();
	if (chunk && at)
		__atomic_store_n(&chunk->head.used, (uint32_t)((at - 1) & 0xff) + 1, __ATOMIC_RELAXED);
	return chunk;
}

/* Makes `chunk` this lane's from slot 1 on. Readers pair with base, see ring.h. */
static void chunk_open(struct vprof_lane *lane, struct vprof_chunk *chunk, uint64_t ticket)
{
	struct vprof_chunk_header *head = &chunk->head;

	__atomic_store_n(&head->base, 0, __ATOMIC_RELAXED);
	TESTPOINT("chunk_void");
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* base is 0 before any slot changes */
	head->lane = (uint32_t)(lane - vprof_map.lanes);
	head->tid = lane->tid;
	head->first = lane->sealed;
	head->open_ticks = vprof_ticks();
	head->thread = lane->thread;
	head->used = 1;
	vprof_comm_copy(head->comm, lane->comm);
	TESTPOINT("chunk_filled");
	__atomic_store_n(&head->base, (ticket + 1) << 8, __ATOMIC_RELEASE);
	__atomic_store_n(&lane->chunk, (uint32_t)(chunk - vprof_map.chunks) + 1, __ATOMIC_RELAXED);
	TESTPOINT("chunk_open");
}

static void chunk_release(struct vprof_chunk *chunk)
{
	__atomic_store_n(&chunk->head.held, 0, __ATOMIC_RELEASE);
}

/*
 * Has the cursor come round to this ticket's chunk again? Then others may have filled the chunk
 * since (we were not running between the ticket and the chunk), and what is in it is new.
 * Asked while we hold it: from then on they pass it by.
 */
static int ticket_is_stale(uint64_t ticket)
{
	return __atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED) - ticket > vprof_map.chunk_count;
}

/* A chunk that no lane holds, the oldest first. Pairs with the release in chunk_release(). */
static struct vprof_chunk *chunk_take(uint64_t *ticket)
{
	for (uint32_t tries = vprof_map.chunk_count + 64; tries; tries--) {
		uint64_t n = __atomic_fetch_add(&vprof_map.live->ticket, 1, __ATOMIC_RELAXED);
		struct vprof_chunk *chunk = &vprof_map.chunks[n % vprof_map.chunk_count];
		uint32_t free = 0;

		if (__atomic_load_n(&chunk->head.held, __ATOMIC_RELAXED))
			continue;
		if (!__atomic_compare_exchange_n(&chunk->head.held, &free, 1, 0, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		if (!ticket_is_stale(n)) {
			*ticket = n;
			return chunk;
		}
		chunk_release(chunk);
	}
	return NULL;
}

int vprof_chunk_next(struct vprof_lane *lane, struct vprof_chunk *old)
{
	uint64_t ticket;
	struct vprof_chunk *chunk = chunk_take(&ticket);

	if (!chunk) {
		if (!old) {
			vprof_lose(VPROF_LOSS_NO_CHUNK);
			return -1;
		}
		chunk = old;
		ticket = __atomic_fetch_add(&vprof_map.live->ticket, 1, __ATOMIC_RELAXED);
	}
	if (old)
		lane->sealed += vprof_chunk_filled(old);
	chunk_open(lane, chunk, ticket);
	vprof_cursor_set(chunk);
	if (old && chunk != old)
		chunk_release(old);
	return 0;
}
