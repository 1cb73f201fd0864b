/*
 * cmd_gpu.c - `vprof gpu`: how busy each device was over time, with what, and where it waited.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "tools/cli.h"
#include "tools/gpu_busy.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

enum { BINS = 20, BINS_MOST = 10000 };

struct options {
	int json;
	uint64_t bins;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "as one JSON object, times in ns" },
	{ "bins", 'b', CLI_COUNT, FIELD(bins), "N", "cut the time into N parts (default 20)" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ 0 },
};

static const struct cli_command command = {
	"vprof gpu", "RING...",
	"Prints how busy each GPU was over time: at work, in copies, idle.",
	"BUSY, COPIES and IDLE tell what the GPU did in that stretch of time; SEEN is the part of\n"
	"BUSY that was measured. What was not is expected to have run behind its launch, as a queue\n"
	"of its stream, for the mean of its kind. BUSY is at least that where COVERED is below 100%.\n"
	"OFF is what is neither, since nothing was recorded then (vprof stop, VPROF_CAPTURE).\n"
	"RING is a ring, a folder of rings or a pattern.", table,
};

static double percent(double part, double of)
{
	return of > 0 ? 100 * (part < of ? part : of) / of : 0;
}

/* A stretch in which nothing was recorded is neither at work nor idle. */
static void print_off(const struct gpu_busy *busy)
{
	char text[32];

	if (busy->off_ns)
		printf("  recording was off for %s of this (OFF in the table): what ran then is not known,\n"
		       "  so it is neither in IDLE nor in gaps\n", cli_time_text(text, sizeof(text), busy->off_ns));
}

static void print_measured(const struct gpu_busy *busy)
{
	char span[32], gap[32];

	printf("  of these, %s: at work %.1f%%, with copies and sets alone %.1f%%,\n"
	       "  taken by the stamps %.1f%% (idle in the table)\n",
	       cli_time_text(span, sizeof(span), busy->span_ns), percent((double)busy->busy_ns, (double)busy->span_ns),
	       percent((double)busy->copy_ns, (double)busy->span_ns),
	       percent((double)(busy->span_ns - busy->busy_ns), (double)busy->span_ns));
	gpu_parts_remark(&busy->parts, stdout, "  ",
			 "what stands here is of these nodes, the table of those of all parts");
	printf("  while at work %.2f pieces at once, at most %u\n",
	       busy->busy_ns ? (double)busy->work_ns / (double)busy->busy_ns : 0, busy->most);
	if (busy->measured == busy->launches)
		printf("  between launches %" PRIu64 " %s, %s idle, the longest %s\n", busy->gaps,
		       cli_word(busy->gaps, "gap", "gaps"),
		       cli_time_text(span, sizeof(span), busy->idle_ns),
		       cli_time_text(gap, sizeof(gap), busy->longest_gap_ns));
	if (busy->behind_ns)
		printf("  %s of work lie behind the end of this, launched before it\n",
		       cli_time_text(span, sizeof(span), busy->behind_ns));
}

static void print_summary(const struct gpu_busy *busy)
{
	const struct vprof_def *def = NULL;

	printf("GPU %d of %s (pid %u)", busy->device, busy->process->name, busy->process->os_pid);
	while ((def = ring_def_next(busy->process->ring, def)))
		if (def->type == VPROF_DEF_DEVICE && ((const struct vprof_def_device *)def)->ordinal == busy->device)
			printf(": %s", ((const struct vprof_def_device *)def)->name);
	printf("\n  %" PRIu64 " of %" PRIu64 " %s measured, %.0f%% are of kinds that were\n", busy->measured,
	       busy->launches, cli_word(busy->launches, "launch", "launches"),
	       percent((double)busy->covered, (double)busy->launches));
	if (busy->measured)
		print_measured(busy);
	print_off(busy);
	printf("\n");
}

/* When a bin begins: in the unit that suits the last one, to a tenth of what they are long. */
static const char *from_text(char *text, size_t size, const struct gpu_busy_list *all, uint64_t ns, uint64_t last_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
	size_t unit = 0;
	int digits = 0;
	double step;

	while (units[unit].ns > 1 && (double)last_ns < units[unit].ns)
		unit++;
	for (step = units[unit].ns; step > 1 && 10 * step > (double)all->bin_ns; step /= 10)
		digits++;
	snprintf(text, size, "%.*f %s", digits, (double)ns / units[unit].ns, units[unit].name);
	return text;
}

static int print_bins(const struct gpu_busy_list *all, const struct gpu_busy *busy, const struct trace *trace)
{
	struct cli_table *cells = cli_table_new(busy->off_ns ? "rrrrrrrrr" : "rrrrrrrr");
	char text[32];

	if (!cells)
		return -ENOMEM;
	cli_table_heads(cells, "FROM", "LAUNCHES", "MEASURED", "COVERED", "BUSY", "COPIES", "IDLE", "SEEN");
	if (busy->off_ns)
		cli_table_heads(cells, "OFF");
	for (uint32_t i = 0; i < all->bins; i++) {
		const struct gpu_busy_bin *bin = &busy->bins[i];
		uint64_t from = all->from_ns - trace->base_ns;
		double length = (double)all->bin_ns, busy_ns = (double)bin->busy_ns;

		cli_table_cell(cells, "%s", from_text(text, sizeof(text), all, from + i * all->bin_ns,
						      from + (all->bins - 1) * all->bin_ns));
		cli_table_cell(cells, "%" PRIu64, bin->launches);
		cli_table_cell(cells, "%" PRIu64, bin->measured);
		if (bin->launches)
			cli_table_cell(cells, "%.0f%%", percent((double)bin->covered, (double)bin->launches));
		else
			cli_table_cell(cells, "-");
		cli_table_cell(cells, "%.1f%%", percent(busy_ns, length));
		cli_table_cell(cells, "%.1f%%", percent((double)bin->copy_ns, length));
		cli_table_cell(cells, "%.1f%%", 100 - percent(busy_ns + (double)bin->off_ns, length));
		cli_table_cell(cells, "%.1f%%", percent((double)bin->seen_ns, length));
		if (busy->off_ns)
			cli_table_cell(cells, "%.1f%%", percent((double)bin->off_ns, length));
	}
	return cli_table_print(cells, stdout, 2);
}

static void json_device(const struct gpu_busy_list *all, const struct gpu_busy *busy)
{
	printf("{\"pid\": %u, \"device\": %d, \"launches\": %" PRIu64 ", \"measured\": %" PRIu64
	       ", \"covered\": %" PRIu64 ", \"span_ns\": %" PRIu64 ", \"busy_ns\": %" PRIu64 ", \"copy_ns\": %" PRIu64
	       ", \"work_ns\": %" PRIu64 ", \"most_at_once\": %u, ", busy->process->os_pid, busy->device,
	       busy->launches, busy->measured, busy->covered, busy->span_ns, busy->busy_ns, busy->copy_ns,
	       busy->work_ns, busy->most);
	if (busy->measured == busy->launches)
		printf("\"gaps\": %" PRIu64 ", \"idle_ns\": %" PRIu64 ", \"longest_gap_ns\": %" PRIu64, busy->gaps,
		       busy->idle_ns, busy->longest_gap_ns);
	else
		printf("\"gaps\": null");
	printf(",\n  ");
	gpu_parts_json(&busy->parts, stdout);
	printf(",\n  \"behind_ns\": %" PRIu64 ", \"off_ns\": %" PRIu64 ",\n  \"bins\": [", busy->behind_ns, busy->off_ns);
	for (uint32_t i = 0; i < all->bins; i++) {
		const struct gpu_busy_bin *bin = &busy->bins[i];

		printf("%s\n   {\"launches\": %" PRIu64 ", \"measured\": %" PRIu64 ", \"covered\": %" PRIu64
		       ", \"busy_ns\": %" PRIu64 ", \"copy_ns\": %" PRIu64 ", \"seen_ns\": %" PRIu64
		       ", \"off_ns\": %" PRIu64 "}", i ? "," : "",
		       bin->launches, bin->measured, bin->covered, bin->busy_ns, bin->copy_ns, bin->seen_ns,
		       bin->off_ns);
	}
	printf("]}");
}

/* Default streams are of the thread's current device, which no record tells. */
static void print_nowhere(const struct gpu_busy_list *busy)
{
	if (busy->nowhere)
		printf("\nof %" PRIu64 " %s, not measured, it is not known on which GPU (as on default streams):\n"
		       "in no table, so BUSY is at least what it says\n", busy->nowhere,
		       cli_word(busy->nowhere, "launch", "launches"));
}

static int print_all(const struct gpu_busy_list *busy, const struct trace *trace, int json)
{
	int error = 0;

	if (json)
		printf("{\"from_ns\": %" PRIu64 ", \"bin_ns\": %" PRIu64 ", \"devices\": [", busy->from_ns,
		       busy->bin_ns);
	for (size_t i = 0; !error && i < busy->count; i++) {
		if (i)
			printf(json ? ",\n " : "\n");
		if (json) {
			json_device(busy, &busy->list[i]);
		} else {
			print_summary(&busy->list[i]);
			error = print_bins(busy, &busy->list[i], trace);
		}
	}
	if (json)
		printf("],\n \"nowhere\": %" PRIu64 "}\n", busy->nowhere);
	else if (!error)
		print_nowhere(busy);
	return error;
}

static int gpu_print(struct trace *trace, const void *values)
{
	const struct options *options = values;
	struct gpu_busy_list busy;
	int error;

	if (!trace_command_has_gpu(&command, trace))
		return CLI_FAILED;
	error = gpu_busy_make(&busy, trace, (uint32_t)options->bins);
	if (!error)
		error = print_all(&busy, trace, options->json);
	gpu_busy_free(&busy);
	return trace_command_end(&command, trace, error, options->json);
}

static int check_options(void *values)
{
	const struct options *options = values;

	if (!options->bins || options->bins > BINS_MOST)
		return cli_usage(&command, "--bins: from 1 to %d", BINS_MOST);
	return CLI_OK;
}

int cmd_gpu(int argc, char **argv)
{
	struct options options = { .bins = BINS };
	const struct trace_command run = { &command, &options, &options.filter, check_options, gpu_print };

	return trace_command_run(&run, argc, argv);
}
