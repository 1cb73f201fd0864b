/*
 * verbs.c - the table of verbs. A new verb is a row here and a function cmd_VERB().
 */
#include "tools/verbs.h"

#include "tools/cli.h"

const struct verb vprof_verbs[] = {
	{ "coverage", cmd_coverage, "which functions of the driver are recorded, and how" },
	{ "cubin", cmd_cubin, "what the kernels in a cubin, a fatbin or a program need" },
	{ "dump", cmd_dump, "every record of rings as text or JSON, one a line" },
	{ "gpu", cmd_gpu, "how busy each GPU was over time: at work, in copies, idle, how much at once" },
	{ "graphs", cmd_graphs, "the graphs: their kernels, where they come from, how often they were launched" },
	{ "info", cmd_info, "whose a ring is, when it was written, how much was lost" },
	{ "kernels", cmd_kernels, "what each kernel needs, how often it ran, the occupancy it can reach" },
	{ "mark", cmd_mark, "puts a mark into the timelines of running processes" },
	{ "memory", cmd_memory, "who holds which memory at a moment, how much it was at most, what leaked" },
	{ "ps", cmd_ps, "the traced processes: recording or not, rate, how far back, the last call" },
	{ "snap", cmd_snap, "copies the rings as they all are at one moment, while their processes go on" },
	{ "start", cmd_start, "begins to record in running processes, from one moment on" },
	{ "stop", cmd_stop, "ends recording in running processes; nothing is to be written out" },
	{ "run", cmd_run, "a command with all its processes traced" },
	{ "env", cmd_env, "the environment that a traced program needs: for a shell, Ray, Docker, Slurm, systemd" },
	{ "steps", cmd_steps, "iterations of a program, found in its launches: how long, of what, which stand out" },
	{ "top", cmd_top, "what the GPUs spent their time on, or the kernels that were launched most" },
	{ "verify", cmd_verify, "runs a command twice and holds the GPU times of vprof against those of CUPTI" },
	{ "watch", cmd_watch, "waits for a slow step, idleness or a hang, and copies the rings or runs a command" },
	{ "help", cmd_help, "this list, the help of a verb, or 'help env': the environment variables" },
	{ 0 },
};

void vprof_help(FILE *out)
{
	fprintf(out, "Usage: vprof VERB [OPTION...] [RING...]\n"
		     "Reads the rings that libvprof.so writes, and controls their processes.\n\nVerbs:\n");
	for (const struct verb *verb = vprof_verbs; verb->name; verb++) {
		fprintf(out, "  %-9s ", verb->name);
		cli_wrapped(out, verb->help, 12);
	}
	fprintf(out, "\n'vprof VERB --help' tells its options. vprof-merge makes a trace for Perfetto.\n");
}
