/*
 * trace_command.c - see the header.
 */
#include "tools/trace_command.h"

#include <string.h>
#include "tools/gpu_top.h"
#include "tools/gpu_untimed.h"

int trace_command_end(const struct cli_command *command, const struct trace *trace, int error, int json)
{
	if (error) {
		fprintf(stderr, "%s: %s\n", command->name, strerror(-error));
		return CLI_FAILED;
	}
	error = cli_finish(command->name);
	if (!json)
		trace_print_losses(trace, command->name);
	return error;
}

/* What was to be timed, by what holds now, or held at the end. */
struct to_be_timed {
	int graphs, others;
};

static void add_to_be_timed(struct to_be_timed *to_be, const struct vprof_ring_control *control)
{
	to_be->graphs |= control->gpu != 0;
	to_be->others |= control->gpu_spans || control->gpu_window_us;
}

int trace_command_say_untimed(const struct cli_command *command, const struct trace *trace, int asked)
{
	struct gpu_untimed untimed = { 0 };
	struct to_be_timed to_be = { 0 };
	char why[GPU_UNTIMED_TEXT];
	int error = 0;

	for (size_t i = 0; !error && i < trace->count; i++) {
		const struct ring *ring = trace->processes[i].ring;

		if (!trace->processes[i].chosen)
			continue;
		add_to_be_timed(&to_be, &ring->control);
		if (ring->control.gpu)
			error = gpu_untimed_add(&untimed, ring);
	}
	if (!to_be.graphs && !to_be.others)
		return 0;
	if (!error && *gpu_untimed_text(why, sizeof(why), &untimed))
		fprintf(stderr, "%s: %s\n", command->name, why);
	else if (error || to_be.others || untimed.launches)
		fprintf(stderr, "%s: the GPU was to be timed, but these rings have no times of it (see vprof info)\n",
			command->name);
	else if (asked)
		fprintf(stderr,
			"%s: these rings have no times of a GPU: graphs alone were to be timed, and there is no launch "
			"of one (see VPROF_GPU_EAGER)\n", command->name);
	return 1;
}

int trace_command_has_gpu(const struct cli_command *command, const struct trace *trace)
{
	if (gpu_top_has(trace))
		return 1;
	if (!trace_command_say_untimed(command, trace, 1))
		fprintf(stderr, "%s: these rings have no times of a GPU (see VPROF_GPU)\n", command->name);
	return 0;
}

static int run_inputs(const struct trace_command *run, const struct inputs *inputs)
{
	struct trace trace;
	int code;

	if (!inputs_have_records(inputs))
		return CLI_FAILED;
	if (trace_begin(&trace, inputs, run->filter))
		return CLI_FAILED;
	code = run->print(&trace, run->options);
	if (!trace_was_readable(&trace, inputs->program) || !trace_has_threads(&trace, inputs->program))
		code = CLI_FAILED;
	trace_close(&trace);
	return code;
}

int trace_command_run(const struct trace_command *run, int argc, char **argv)
{
	struct inputs inputs = { 0 };
	int count, code;

	count = cli_parse(run->command, run->options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (!count)
		code = cli_usage(run->command, "which rings?");
	else
		code = run->check ? run->check(run->options) : CLI_OK;
	if (!code) {
		code = CLI_FAILED;
		if (!inputs_collect(&inputs, run->command->name, count, argv + 1) && !inputs_open_all(&inputs))
			code = run_inputs(run, &inputs);
	}
	inputs_close(&inputs);
	trace_filter_free(run->filter);
	return code;
}
