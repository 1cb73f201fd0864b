/*
 * cmd_dump.c - `vprof dump`: every record of rings as a line.
 */
#include <errno.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/threads.h"
#include "tools/verbs.h"

struct options {
	int json, lanes, defs, demangle;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "one JSON object a line" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ "lanes", 0, CLI_FLAG, FIELD(lanes), NULL, "the lane table instead of the records" },
	{ "defs", 0, CLI_FLAG, FIELD(defs), NULL,
	  "the definitions instead of the records: names of calls, kernels, streams, devices, ..." },
	{ "demangle", 'C', CLI_FLAG, FIELD(demangle), NULL, "kernel names as C++ has them" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof dump", "RING...",
	"Prints every record of rings, one a line, each ring's by time.",
	"A line: seconds since the first record of all rings, pid, tid, thread name, call, duration\n"
	"(or in-flight, or abandoned: its thread ended within it), result=N when it is not 0, then\n"
	"what the call was given, corr=ID. Blanks in names are printed as \\x20. RING is a ring, a\n"
	"folder of rings or a pattern. Times: 1.5, 5s, 200ms, 10us, 2m.", table,
};

static int dump_records(const struct options *o, struct trace *trace, struct trace_process *process,
			struct dump_ring *dump)
{
	struct records *records = records_open(process->ring);
	struct record record;
	int more = records ? 1 : -ENOMEM;

	while (more > 0 && !ferror(stdout) && (more = records_next(records, &record)) > 0) {
		struct trace_thread *thread = process_thread(trace, process, record.owner->thread,
							     record.owner->tid, record.owner->comm,
							     THREAD_RANK_OWNER);
		struct trace_span span;

		if (!thread) {
			more = -ENOMEM;
			break;
		}
		span = trace_span(trace, process, record.slot, record.ended, &dump->at);
		/* A text is shown with the record that it belongs to. */
		if (record.slot->kind != VPROF_KIND_TEXT && trace_shows(trace, thread, span))
			(o->json ? dump_json : dump_text)(dump, stdout, &record,
							  (int64_t)(span.start_ns - trace->base_ns));
	}
	if (records)
		records_close(records);
	return more < 0 ? more : 0;
}

static int dump_process(const struct options *o, struct trace *trace, struct trace_process *process)
{
	struct dump_ring dump = { process->ring, process->clock, 0, o->demangle };

	if (!process->chosen)
		return 0;
	if (trace->count > 1 && !o->json) {
		printf("# %s pid=%u host=", process->path, process->os_pid);
		dump_word(stdout, process->ring->header.host);
		putchar('\n');
	}
	if (o->lanes)
		dump_lanes(&dump, stdout, o->json);
	if (o->defs)
		dump_defs(&dump, stdout, o->json);
	return o->lanes || o->defs ? 0 : dump_records(o, trace, process, &dump);
}

static int dump_inputs(const struct options *o, const struct inputs *inputs)
{
	struct trace trace;
	int code = CLI_OK, error;

	if (!o->lanes && !o->defs && !inputs_have_records(inputs))
		return CLI_FAILED;
	if (trace_begin(&trace, inputs, &o->filter))
		return CLI_FAILED;
	for (size_t i = 0; i < trace.count; i++) {
		error = dump_process(o, &trace, &trace.processes[i]);
		if (error) {
			fprintf(stderr, "%s: %s: %s\n", command.name, trace.processes[i].path, strerror(-error));
			code = CLI_FAILED;
		}
	}
	if (!trace_has_threads(&trace, command.name))
		code = CLI_FAILED;
	trace_close(&trace);
	return cli_finish(command.name) == CLI_OK ? code : CLI_FAILED;
}

int cmd_dump(int argc, char **argv)
{
	struct options o = { 0 };
	struct inputs inputs = { 0 };
	int operands = cli_parse(&command, &o, argc, argv), code = CLI_FAILED;

	if (operands < 0)
		code = CLI_CODE(operands);
	else if (!operands)
		code = cli_usage(&command, "which rings?");
	else if (!inputs_collect(&inputs, command.name, operands, argv + 1) && !inputs_open_all(&inputs))
		code = dump_inputs(&o, &inputs);
	inputs_close(&inputs);
	trace_filter_free(&o.filter);
	return code;
}
