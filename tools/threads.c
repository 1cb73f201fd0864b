/*
 * threads.c - who recorded: finding a thread by its serial number, naming it,
 * giving it an id that no other thread of its process has.
 */
#include "tools/threads.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

enum { PID_LIMIT = 1 << 22 }; /* of Linux: greater numbers are free for us */

uint32_t trace_invent_id(struct trace *trace)
{
	return PID_LIMIT + ++trace->invented;
}

/* `word`: a thread id, or a pattern for a name. */
static int thread_fits(const struct trace_thread *thread, const char *word)
{
	char tid[16];

	snprintf(tid, sizeof(tid), "%u", thread->os_tid);
	return !strcmp(word, tid) || !fnmatch(word, thread->comm, 0) ||
	       (thread->label && !fnmatch(word, thread->label->text, 0));
}

static int thread_chosen(const struct trace *trace, const struct trace_thread *thread)
{
	const struct cli_list *wanted = &trace->filter->threads;

	if (!thread->process->chosen)
		return 0;
	for (size_t i = 0; i < wanted->count; i++)
		if (thread_fits(thread, wanted->items[i]))
			return 1;
	return !wanted->count;
}

/* Has a process that is looked at such a thread? */
static int has_thread(const struct trace *trace, const char *word)
{
	for (size_t i = 0; i < trace->count; i++)
		for (uint32_t t = 0; trace->processes[i].chosen && t < trace->processes[i].thread_count; t++)
			if (thread_fits(trace->processes[i].threads[t], word))
				return 1;
	return 0;
}

int trace_has_threads(const struct trace *trace, const char *program)
{
	const struct cli_list *wanted = &trace->filter->threads;
	size_t found = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		if (has_thread(trace, wanted->items[i]))
			found++;
		else
			fprintf(stderr, "%s: --thread: no thread '%s' in these rings\n", program, wanted->items[i]);
	}
	return found || !wanted->count;
}

static struct trace_thread *thread_add(struct trace *trace, struct trace_process *process,
				       uint64_t serial, uint32_t tid)
{
	struct trace_thread *thread = calloc(1, sizeof(*thread));

	if (!thread || list_grow(process->threads, process->thread_count))
		goto err;
	thread->process = process;
	thread->serial = serial;
	thread->os_tid = thread->tid = tid;
	/* Ids that Linux gave out again get a made-up one, so that a track is one thread. */
	if (idmap_get(&process->by_tid, tid) != IDMAP_NONE)
		thread->tid = trace_invent_id(trace);
	thread->label = range_label(&process->names, &process->names.threads, tid);
	thread->index = process->thread_count;
	thread->ids_size = snprintf(thread->ids, sizeof(thread->ids), "\"pid\":%u,\"tid\":%u,",
				    process->pid, thread->tid);
	if (idmap_put(&process->by_tid, tid, thread->index) ||
	    idmap_put(&process->by_serial, serial, thread->index))
		goto err;
	process->threads[process->thread_count++] = thread;
	return thread;
err:
	free(thread);
	return NULL;
}

struct trace_thread *process_thread(struct trace *trace, struct trace_process *process,
				    uint64_t serial, uint32_t tid, const char *comm, uint64_t rank)
{
	uint32_t index = idmap_get(&process->by_serial, serial);
	int known = index != IDMAP_NONE;
	struct trace_thread *thread;
	size_t size;

	thread = known ? process->threads[index] : thread_add(trace, process, serial, tid);
	if (!thread || (known && rank <= thread->comm_rank))
		return thread;
	size = strnlen(comm, sizeof(thread->comm) - 1);
	if (size) {
		memset(thread->comm, 0, sizeof(thread->comm));
		memcpy(thread->comm, comm, size);
		thread->comm_rank = rank;
	}
	thread->chosen = thread_chosen(trace, thread);
	return thread;
}

int process_find_threads(struct trace *trace, struct trace_process *process)
{
	const struct ring *ring = process->ring;

	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		const struct vprof_chunk_header *head = &ring->chunks[i].head;

		if (!process_thread(trace, process, head->thread, head->tid, head->comm,
				    THREAD_RANK_CHUNK + head->base))
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < ring->lane_count; i++) {
		const struct vprof_lane *lane = &ring->lanes[i];

		if (lane->state == VPROF_LANE_UNUSED || !lane->thread)
			continue;
		if (!process_thread(trace, process, lane->thread, lane->tid, lane->comm,
				    THREAD_RANK_LANE))
			return -ENOMEM;
	}
	return 0;
}

void process_free_threads(struct trace_process *process)
{
	for (uint32_t i = 0; i < process->thread_count; i++) {
		free(process->threads[i]->ranges);
		free(process->threads[i]);
	}
	free(process->threads);
	idmap_free(&process->by_serial);
	idmap_free(&process->by_tid);
}

const char *thread_name(const struct trace_thread *thread)
{
	if (thread->label)
		return thread->label->text;
	if (thread->os_tid == thread->process->os_pid)
		return "main";
	return *thread->comm ? thread->comm : "thread";
}
