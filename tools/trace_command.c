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

/* By what holds now, or held at the end. */
static int is_to_be_timed(const struct vprof_ring_control *control)
{
	return control->gpu || control->gpu_spans || control->gpu_window_us;
}

int trace_command_say_untimed(const struct cli_command *command, const struct trace *trace)
{
	struct gpu_untimed untimed = { 0 };
	char why[GPU_UNTIMED_TEXT];
	int wanted = 0, error = 0;

	for (size_t i = 0; !error && i < trace->count; i++) {
		const struct ring *ring = trace->processes[i].ring;

		if (!trace->processes[i].chosen || !is_to_be_timed(&ring->control))
			continue;
		wanted = 1;
		if (ring->control.gpu)
			error = gpu_untimed_add(&untimed, ring);
	}
	if (!wanted)
		return 0;
	fprintf(stderr, "%s: the GPU was to be timed, but these rings have no times of it (see vprof info)\n", command->name);
	if (!error && *gpu_untimed_text(why, sizeof(why), &untimed))
		fprintf(stderr, "%s: %s\n", command->name, why);
	return 1;
}

int trace_command_has_gpu(const struct cli_command *command, const struct trace *trace)
{
	if (gpu_top_has(trace))
		return 1;
	if (!trace_command_say_untimed(command, trace))
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
	if (!trace_has_threads(&trace, inputs->program))
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
