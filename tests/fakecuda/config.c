/*
 * config.c - the fake driver's environment, read once when it is loaded.
 *
 *   FAKECUDA_DEVICES=N       how many devices there are (1)
 *   FAKECUDA_KERNEL_NS=N     how long a kernel takes whose name does not say so (0)
 *   FAKECUDA_JITTER_NS=N     up to so much longer, each time, takes what takes time at all (0)
 *   FAKECUDA_COPY_NS=N       how long a copy or a fill takes (0)
 *   FAKECUDA_EDGE_NS=N       how long after what comes before it a kernel, copy or fill begins, on a
 *                            stream that is not idle or over a plain edge (500)
 *   FAKECUDA_PROG_NS=N       the same after a programmatic launch or over a programmatic edge (350);
 *                            a kernel between two stamps so reads 1000 or 700 ns more than it takes
 *   FAKECUDA_EARLY_NS=N      a stamp that lets what follows begin first reads the clock so much later (0)
 *   FAKECUDA_APART=1         what is launched programmatically and waits does so for the kernel ahead of it alone: not for
 *                            one further ahead that is still at work, as its own has not waited
 *   FAKECUDA_QUEUE=N         a call that would put more than N pieces of work onto a stream waits
 *                            until there is room, as on a real GPU at about 1024 (0: never)
 *   FAKECUDA_MEMORY=N        bytes of memory that each device has (80 GiB)
 *   FAKECUDA_NODE_NS=N       how long instantiating a graph takes the caller, for each of its nodes (0)
 *   FAKECUDA_NODE_BYTES=N    and how much device memory an exec takes for each (0)
 *   FAKECUDA_SM=N            the devices' compute capability, major * 10 + minor (90)
 *   FAKECUDA_CLOCK_OFFSET_NS=N,…  how far each device's clock is ahead of the host's realtime
 *                            clock (0); devices beyond the list are like its last
 *   FAKECUDA_CLOCK_PPM=N,…   how much faster it runs since the driver was loaded, in parts per
 *                            million, with a fraction if need be (0)
 *   FAKECUDA_INSTANT=1       launches, copies and memsets only return success
 *   FAKECUDA_STRICT=1        questions about functions, devices and contexts are unsafe calls too:
 *                            forbidden while a capture says so, which they invalidate
 *   FAKECUDA_EXIT=N          at exit() the driver takes N ns to go, and names on stderr what is called meanwhile, or
 *                            has been and has not returned
 *   FAKECUDA_FAIL=SYM:N:CODE the Nth call of SYM returns CODE, several with commas;
 *                            N 0 means every call
 *   FAKECUDA_HANG=SYM:N      the Nth call of SYM never returns, several with commas
 *   FAKECUDA_DELAY=SYM:NS    each call of SYM waits for so long before it does anything, several
 *                            with commas
 *
 * The last three mean calls of the exported symbol SYM, whatever name it was
 * looked up by; or launches of the kernel of that name, by whatever call.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/rules.h"

struct fk_config fk_config = { .devices = 1, .sm = 90 };
unsigned int fk_gate;

enum { FK_MAX_RULES = 16 };
static struct fk_rule {
	char symbol[64];
	unsigned long nth;
	CUresult code;
	enum what { FAIL, HANG, DELAY } what;
	atomic_ulong calls; /* peer: other threads' fk_rules_apply */
} rules[FK_MAX_RULES];
static int rule_count;

static unsigned long env_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

/* A list of numbers, one for each device; its last is for the rest too. */
static void env_numbers(const char *name, double values[FK_CLOCKS])
{
	const char *text = getenv(name);
	char *end = (char *)text;

	for (int i = 0; text && i < FK_CLOCKS; i++) {
		values[i] = *end ? strtod(end, &end) : values[i - 1];
		end += *end == ',';
	}
}

/* Takes one "SYM:N" or "SYM:N:CODE" off the list; returns what follows it. */
static const char *rule_add(const char *text, enum what what)
{
	size_t length = strcspn(text, ":,");
	struct fk_rule *rule = &rules[rule_count];
	char *end = (char *)text + length;

	if (rule_count == FK_MAX_RULES || length >= sizeof(rule->symbol))
		return NULL;
	memcpy(rule->symbol, text, length);
	rule->nth = *end == ':' ? strtoul(end + 1, &end, 10) : 1;
	rule->what = what;
	rule->code = what == FAIL ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
	if (what == FAIL && *end == ':')
		rule->code = (CUresult)strtol(end + 1, &end, 10);
	rule_count++;
	return *end == ',' ? end + 1 : NULL;
}

__attribute__((constructor)) static void config_read(void)
{
	double offsets[FK_CLOCKS] = { 0 };
	const char *list;

	fk_config.copy_ns = env_number("FAKECUDA_COPY_NS", 0);
	fk_config.edge_ns = env_number("FAKECUDA_EDGE_NS", 500);
	fk_config.prog_ns = env_number("FAKECUDA_PROG_NS", 350);
	fk_config.early_ns = env_number("FAKECUDA_EARLY_NS", 0);
	fk_config.apart = env_number("FAKECUDA_APART", 0) != 0;
	fk_config.node_ns = env_number("FAKECUDA_NODE_NS", 0);
	fk_config.node_bytes = env_number("FAKECUDA_NODE_BYTES", 0);
	fk_config.memory = env_number("FAKECUDA_MEMORY", 80ul << 30);
	fk_config.jitter_ns = env_number("FAKECUDA_JITTER_NS", 0);
	fk_config.queue = env_number("FAKECUDA_QUEUE", 0);
	fk_config.sm = (int)env_number("FAKECUDA_SM", 90);
	env_numbers("FAKECUDA_CLOCK_OFFSET_NS", offsets);
	for (int i = 0; i < FK_CLOCKS; i++)
		fk_config.clock_offset[i] = (int64_t)offsets[i];
	env_numbers("FAKECUDA_CLOCK_PPM", fk_config.clock_ppm);
	fk_config.devices = (int)env_number("FAKECUDA_DEVICES", 1);
	fk_config.kernel_ns = env_number("FAKECUDA_KERNEL_NS", 0);
	fk_config.exit_ns = env_number("FAKECUDA_EXIT", 0);
	for (list = getenv("FAKECUDA_FAIL"); list && *list;)
		list = rule_add(list, FAIL);
	for (list = getenv("FAKECUDA_HANG"); list && *list;)
		list = rule_add(list, HANG);
	for (list = getenv("FAKECUDA_DELAY"); list && *list;)
		list = rule_add(list, DELAY);
	if (env_number("FAKECUDA_INSTANT", 0))
		fk_gate |= FK_GATE_INSTANT;
	if (env_number("FAKECUDA_STRICT", 0))
		fk_gate |= FK_GATE_STRICT;
	if (fk_config.exit_ns)
		fk_gate |= FK_GATE_EXIT;
	if (rule_count)
		fk_gate |= FK_GATE_RULES;
}

CUresult fk_rules_apply(const char *symbol)
{
	CUresult result = CUDA_SUCCESS;

	for (int i = 0; i < rule_count; i++) {
		struct fk_rule *rule = &rules[i];
		unsigned long call;

		if (strcmp(rule->symbol, symbol))
			continue;
		if (rule->what == DELAY) {
			fk_spend_until(fk_now() + rule->nth);
			continue;
		}
		call = atomic_fetch_add_explicit(&rule->calls, 1, memory_order_relaxed) + 1;
		if (rule->nth && rule->nth != call)
			continue;
		while (rule->what == HANG)
			pause();
		result = rule->code;
	}
	return result;
}
