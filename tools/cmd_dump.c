/*
 * cmd_dump.c - `vprof dump`: every record of rings as a line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/inputs.h"
#include "tools/verbs.h"

struct options {
	int json, lanes, defs, demangle;
	struct cli_list pids, threads;
	int64_t from, to, last;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "one JSON object a line" },
	{ "pid", 'p', CLI_LIST, FIELD(pids), "PID", "only these processes" },
	{ "thread", 't', CLI_LIST, FIELD(threads), "TID|NAME", "only these threads" },
	{ "from", 0, CLI_TIME, FIELD(from), "TIME", "only calls begun this long after the ring's start, or later" },
	{ "to", 0, CLI_TIME, FIELD(to), "TIME", "only calls begun this long after the ring's start, or sooner" },
	{ "last", 0, CLI_TIME, FIELD(last), "TIME", "only this much before the ring's last call" },
	{ "lanes", 0, CLI_FLAG, FIELD(lanes), NULL, "the lane table instead of the records" },
	{ "defs", 0, CLI_FLAG, FIELD(defs), NULL, "the definitions instead of the records: names of calls, kernels, graphs, modules" },
	{ "demangle", 'C', CLI_FLAG, FIELD(demangle), NULL, "kernel names as C++ has them" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof dump", "RING...",
	"Prints every record of rings, one a line, each ring's by time.",
	"A line: seconds since the ring's start, pid, tid, thread name, call, duration (or\n"
	"in-flight), result=N when it is not 0, then what the call was given, corr=ID.\n"
	"Blanks in names are printed as \\x20. RING is a ring, a folder of rings or a pattern.\n"
	"Times: 1.5, 5s, 200ms, 10us, 2m.", table,
};

/* The latest end of a call in any lane's last chunk, or begin of one in flight, in ns. */
static int last_ns(const struct ring *ring, const struct clock *clock, uint64_t *ns)
{
	struct vprof_chunk *chunk = malloc(sizeof(*chunk));
	uint32_t at = 0;
	int error = chunk ? 0 : -ENOMEM;

	*ns = 0;
	for (uint32_t i = 0; i < ring->chunk_count && error >= 0; i++) {
		if (i + 1 < ring->chunk_count && ring->chunks[i + 1].head.lane == ring->chunks[i].head.lane)
			continue;
		error = ring_read_chunk(ring, &ring->chunks[i], chunk);
		for (uint32_t s = 0; error >= 0 && s < VPROF_CHUNK_SLOTS - 1; s++) {
			const struct vprof_slot *slot = &chunk->slot[s];
			uint64_t end;

			if (!slot->seq)
				continue;
			end = clock_monotonic(clock, &at, slot->t0);
			if (slot->done)
				end += clock_length(clock, &at, slot->t0, VPROF_DONE_TICKS(slot->done));
			if (end > *ns)
				*ns = end;
		}
	}
	free(chunk);
	return error < 0 ? error : 0;
}

static int owner_wanted(const struct cli_list *threads, const struct record_owner *owner)
{
	char tid[16];

	if (!threads->count)
		return 1;
	snprintf(tid, sizeof(tid), "%u", owner->tid);
	return cli_list_has(threads, tid) || cli_list_has(threads, owner->comm);
}

/* The window in monotonic ns. */
static int window(const struct options *o, const struct input *input, uint64_t *from, uint64_t *to)
{
	uint64_t start = input->clock.start_ns, end;
	int error;

	*from = 0;
	*to = UINT64_MAX;
	if (o->from != CLI_TIME_NONE)
		*from = start + (uint64_t)o->from;
	if (o->to != CLI_TIME_NONE)
		*to = start + (uint64_t)o->to;
	if (o->last == CLI_TIME_NONE)
		return 0;
	error = last_ns(&input->ring, &input->clock, &end);
	end = end > (uint64_t)o->last ? end - (uint64_t)o->last : 0;
	if (end > *from)
		*from = end;
	return error;
}

static int dump_records(const struct options *o, const struct input *input, struct dump_ring *dump)
{
	uint64_t from, to, ns;
	struct records *records;
	struct record record;
	int more = window(o, input, &from, &to);

	if (more)
		return more;
	records = records_open(&input->ring);
	if (!records)
		return -ENOMEM;
	while ((more = records_next(records, &record)) > 0 && !ferror(stdout)) {
		ns = clock_monotonic(dump->clock, &dump->at, record.slot->t0);
		if (ns < from || ns > to || !owner_wanted(&o->threads, record.owner))
			continue;
		(o->json ? dump_json : dump_text)(dump, stdout, &record,
						  (int64_t)(ns - input->clock.start_ns));
	}
	records_close(records);
	return more < 0 ? more : 0;
}

static int dump_input(const struct options *o, const struct input *input, int many)
{
	struct dump_ring dump = { &input->ring, &input->clock, 0, o->demangle };
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", input->ring.header.pid);
	if (o->pids.count && !cli_list_has(&o->pids, pid))
		return 0;
	if (many && !o->json) {
		printf("# %s pid=%s host=", input->path, pid);
		dump_word(stdout, input->ring.header.host);
		putchar('\n');
	}
	if (o->lanes)
		dump_lanes(&dump, stdout, o->json);
	if (o->defs)
		dump_defs(&dump, stdout, o->json);
	return o->lanes || o->defs ? 0 : dump_records(o, input, &dump);
}

int cmd_dump(int argc, char **argv)
{
	struct options o = { .from = CLI_TIME_NONE, .to = CLI_TIME_NONE, .last = CLI_TIME_NONE };
	int operands = cli_parse(&command, &o, argc, argv), code = CLI_FAILED, error;
	struct inputs inputs = { 0 };

	if (operands <= 0) {
		code = operands < 0 ? CLI_CODE(operands) : cli_usage(&command, "which rings?");
		goto out;
	}
	if (inputs_collect(&inputs, command.name, operands, argv + 1) || inputs_open_all(&inputs))
		goto out;
	code = CLI_OK;
	for (size_t i = 0; i < inputs.count; i++) {
		error = dump_input(&o, &inputs.list[i], inputs.count > 1);
		if (error) {
			fprintf(stderr, "%s: %s: %s\n", command.name, inputs.list[i].path, strerror(-error));
			code = CLI_FAILED;
		}
	}
	if (cli_finish(command.name) != CLI_OK)
		code = CLI_FAILED;
out:
	inputs_close(&inputs);
	cli_list_free(&o.pids);
	cli_list_free(&o.threads);
	return code;
}
