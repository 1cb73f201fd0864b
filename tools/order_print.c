/*
 * order_print.c - what came of a request, process by process.
 */
#include <stdlib.h>
#include <string.h>
#include "tools/now.h"
#include "tools/order.h"

static const struct result_text {
	const char *word, *sentence;
} texts[] = {
	[ORDER_SKIPPED] = { "skipped", "left out: it has used no GPU yet (--all takes it too)" },
	[ORDER_DONE] = { "done", "" },
	[ORDER_WORD] = { "word", "by the word alone: its housekeeping has not answered" },
	[ORDER_WAITING] = { "unanswered", "has not answered yet" },
	[ORDER_STOPPED] = { "stopped", "is stopped: takes it up when it goes on" },
	[ORDER_SILENT] = { "no_housekeeping", "has no housekeeping thread, and so nobody to take it up" },
	[ORDER_OLD] = { "too_old", "its library is too old for this" },
	[ORDER_GONE] = { "gone", "has ended" },
	[ORDER_MISUNDERSTOOD] = { "misunderstood", "took a request up that it did not understand" },
	[ORDER_REFUSED] = { "refused", "" },
};

static const char *sentence(const struct order *order, const struct order_target *one)
{
	if (one->result == ORDER_DONE)
		return order->done;
	if (one->why[0])
		return one->why;
	if (one->result == ORDER_GONE && one->target->state == PROCESS_UNKNOWN)
		return "is of another machine, boot or pid namespace, and was not heard of lately";
	return texts[one->result].sentence;
}

static void count_results(const struct order_target *list, size_t count, size_t *chosen, size_t *done)
{
	*chosen = *done = 0;
	for (size_t i = 0; i < count; i++) {
		*chosen += list[i].result != ORDER_SKIPPED;
		*done += order_is_done(list[i].result);
	}
}

static size_t count_unkept(const struct order_target *list, size_t count)
{
	size_t unkept = 0;

	for (size_t i = 0; i < count; i++)
		unkept += order_is_done(list[i].result) && list[i].unkept;
	return unkept;
}

/* What became of times of the GPU, where anything was said of them. */
static void print_gpu(const struct gpu_words *words, size_t unkept)
{
	char text[GPU_WORDS_TEXT];

	if (*gpu_words_on(text, sizeof(text), words))
		printf("timed on the GPU from now on: %s\n", text);
	if (unkept)
		printf("in %zu %s that was off: graphs made until now are not timed, unless they are made anew\n",
		       unkept, cli_word(unkept, "process", "processes"));
	if (*gpu_words_off(text, sizeof(text), words))
		printf("no longer timed on the GPU: %s\n", text);
}

static void print_text(const struct order *order, const struct order_target *list, size_t count)
{
	struct cli_table *table = cli_table_new("rlll");
	size_t chosen, done, skipped;
	char ahead[32] = "";

	if (!table)
		return;
	count_results(list, count, &chosen, &done);
	skipped = count - chosen;
	for (size_t i = 0; i < count; i++) {
		const struct order_target *one = &list[i];

		if (one->result == ORDER_SKIPPED)
			continue;
		cli_table_cell(table, "%u", one->target->ring.header.pid);
		cli_table_cell(table, "%s", one->target->role.name);
		if (one->target->role.number >= 0)
			cli_table_cell(table, "rank %lld", (long long)one->target->role.number);
		else
			cli_table_cell(table, "%s", "");
		if (one->result == ORDER_REFUSED)
			cli_table_cell(table, "%s: %s", one->target->path, sentence(order, one));
		else
			cli_table_cell(table, "%s", sentence(order, one));
	}
	cli_table_print(table, stdout, 2);
	if (count)
		printf("%s %zu of %zu %s", order->done, done, chosen, cli_word(chosen, "process", "processes"));
	if (count && !order->stay && !order->now && order->request.at_ns)
		printf(", from %s after this command on", cli_time_text(ahead, sizeof(ahead), order->lead_ns));
	if (skipped)
		printf("; left out %zu that %s used no GPU yet (--all)", skipped, cli_word(skipped, "has", "have"));
	if (count)
		putchar('\n');
	if (done)
		print_gpu(&order->gpu, count_unkept(list, count));
}

static uint64_t to_realtime(uint64_t monotonic)
{
	return monotonic + (now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC));
}

/* What was given, in the words of vprof info. */
static void json_gpu(const struct gpu_words *words)
{
	const char *comma = "";

	printf(",\n \"gpu\": {");
	if (words->has_gpu) {
		printf("\"graphs\": %u", words->gpu);
		comma = ", ";
	}
	if (words->has_spans) {
		printf("%s\"spans\": %s", comma, words->spans ? "true" : "false");
		comma = ", ";
	}
	if (words->has_window)
		printf("%s\"window_us\": %u, \"period_us\": %u", comma, words->window_us, words->period_us);
	putchar('}');
}

static void print_json(const struct order *order, const struct order_target *list, size_t count)
{
	const struct vprof_request *r = &order->request;
	size_t chosen, done;

	count_results(list, count, &chosen, &done);
	printf("{\"verb\": \"%s\", \"chosen\": %zu, \"done\": %zu, \"at_monotonic_ns\": %llu, \"at_ns\": %llu",
	       order->verb, chosen, done, (unsigned long long)r->at_ns,
	       (unsigned long long)(r->at_ns ? to_realtime(r->at_ns) : 0));
	if (gpu_words_given(&order->gpu))
		json_gpu(&order->gpu);
	printf(",\n \"processes\": [");
	for (size_t i = 0; i < count; i++) {
		const struct order_target *one = &list[i];
		const struct role *role = &one->target->role;

		printf("%s\n  {\"pid\": %u, \"role\": ", i ? "," : "", one->target->ring.header.pid);
		cli_json_string(stdout, role->name);
		printf(", \"rank\": ");
		if (role->number >= 0)
			printf("%lld", (long long)role->number);
		else
			printf("null");
		printf(", \"ring\": ");
		cli_json_string(stdout, one->target->path);
		printf(", \"serial\": %llu, \"result\": \"%s\", \"why\": ", (unsigned long long)one->serial,
		       texts[one->result].word);
		cli_json_string(stdout, one->result == ORDER_DONE ? "" : sentence(order, one));
		putchar('}');
	}
	printf("%s]}\n", count ? "\n " : "");
}

void order_print(const struct order *order, const struct order_target *list, size_t count)
{
	(order->json ? print_json : print_text)(order, list, count);
}
