/*
 * make_ring_main.c - the program make_ring: one ring file from options.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/tools/make_ring.h"
#include "tools/cli.h"

struct values {
	struct make_ring ring;
	uint64_t mb;
};

#define FIELD(name) offsetof(struct values, ring.name)

static const struct cli_option options[] = {
	{ "mb", 0, CLI_COUNT, offsetof(struct values, mb), "N", "room for N MiB of records, all of it used (unless --records)" },
	{ "chunks", 0, CLI_COUNT, FIELD(chunks), "N", "room for N chunks" },
	{ "lanes", 0, CLI_COUNT, FIELD(lanes), "N", "threads that record" },
	{ "records", 0, CLI_COUNT, FIELD(records), "N", "calls of each lane" },
	{ "kernels", 0, CLI_COUNT, FIELD(kernels), "N", "kernel names" },
	{ "nodes", 0, CLI_COUNT, FIELD(nodes), "N", "nodes of the graph, 64 at most" },
	{ "held", 0, CLI_COUNT, FIELD(held), "N", "pieces of memory that are held at the end" },
	{ "ranges", 0, CLI_COUNT, FIELD(ranges), "N", "a record of a range, mark or counter each N" },
	{ "in-flight", 0, CLI_COUNT, FIELD(in_flight), "N", "lanes that end in a call" },
	{ "torn", 0, CLI_COUNT, FIELD(torn), "N", "lanes that end in a torn record" },
	{ "switch-every", 0, CLI_COUNT, FIELD(switch_every), "N", "a new thread each N calls" },
	{ "loss", 0, CLI_COUNT, FIELD(loss), "N", "counters of losses hold N, N + 1, ..." },
	{ "step", 0, CLI_COUNT, FIELD(step_ns), "NS", "between calls" },
	{ "anchors", 0, CLI_COUNT, FIELD(anchors), "N", "entries of the clock page" },
	{ "hz", 0, CLI_COUNT, FIELD(hz), "N", "ticks a second" },
	{ "pid", 0, CLI_COUNT, FIELD(pid), "PID", "of the process" },
	{ "start", 0, CLI_COUNT, FIELD(start_ns), "NS", "monotonic time of the start" },
	{ "realtime", 0, CLI_COUNT, FIELD(realtime_ns), "NS", "realtime of the start" },
	{ "closed", 0, CLI_FLAG, FIELD(closed), NULL, "ended by exit()" },
	{ "boot-id", 0, CLI_TEXT, FIELD(boot_id), "TEXT", "boot of the host" },
	{ "host", 0, CLI_TEXT, FIELD(host), "TEXT", "name of the host" },
	{ "command", 0, CLI_TEXT, FIELD(command), "TEXT", "of the process" },
	{ "link", 0, CLI_TEXT, FIELD(link), "PATH", "entry in the output folder" },
	{ 0 },
};

static const struct cli_command command = {
	"make_ring", "FILE", "Writes a ring, the same for the same options.", NULL, options,
};

int main(int argc, char **argv)
{
	struct values v = { make_ring_default, 0 };
	int operands, fd, error;

	v.ring.records = 0;
	operands = cli_parse(&command, &v, argc, argv);
	if (operands < 0)
		return CLI_CODE(operands);
	if (operands != 1)
		return cli_usage(&command, "one file is wanted");
	if (v.mb) {
		v.ring.chunks = v.mb << 20 >> 14;
		if (!v.ring.records)
			v.ring.records = v.ring.chunks / v.ring.lanes * (VPROF_CHUNK_SLOTS - 1);
	}
	if (!v.ring.records)
		v.ring.records = make_ring_default.records;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(argv[1]);
		return CLI_FAILED;
	}
	error = make_ring_write(&v.ring, fd);
	if (error)
		fprintf(stderr, "make_ring: %s: %s\n", argv[1], strerror(-error));
	close(fd);
	return error ? CLI_FAILED : CLI_OK;
}
