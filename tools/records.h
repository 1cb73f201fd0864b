/*
 * records.h - the records of one ring, one after the other, ordered by time.
 *
 * Lanes are merged with a heap; a lane's chunk is in memory only while its records are
 * being given out, so that memory is bounded by lanes and not by records. Within a
 * chunk records are ordered by t0; a record of a lane's next chunk that is older than the
 * rest of the last one (a signal handler's call) comes late by as much.
 */
#ifndef VPROF_TOOLS_RECORDS_H
#define VPROF_TOOLS_RECORDS_H

#include "tools/ring.h"

/* Whose a record is. */
struct record_owner {
	uint64_t thread;      /* serial number in the ring */
	uint32_t tid;
	char comm[16];
};

/* A chunk's records with their owners: a lane may change hands within a chunk. */
struct owned_chunk {
	struct vprof_chunk chunk;  /* void slots have seq 0 */
	int records;
	uint8_t owner[VPROF_CHUNK_SLOTS];  /* of slot i: its index in owners */
	uint32_t owner_count;
	struct record_owner owners[VPROF_CHUNK_SLOTS];
};

/* Reads chunk `chunk` of the ring's index. Number of records or a negative errno. */
int owned_chunk_read(const struct ring *ring, const struct ring_chunk *chunk,
		     struct owned_chunk *out);

struct record {
	const struct vprof_slot *slot;
	const struct vprof_chunk *chunk; /* that it is in, and where: slot[index] */
	uint32_t index;
	const struct record_owner *owner;
	uint32_t lane;
	uint64_t position;    /* in its lane */
	uint64_t ended;       /* of an open call: ring_thread_ended() */
};

struct records;

/* NULL: no memory. */
struct records *records_open(const struct ring *ring);
void records_close(struct records *records);

/* 1 and the next record, valid until the next call; 0 at the end; else a negative errno. */
int records_next(struct records *records, struct record *record);

#endif
