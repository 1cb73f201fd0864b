/*
 * cupti_counts.c - counts, by CUPTI, what a program ran on the GPU: what vprof is compared with.
 *
 *	LD_PRELOAD=cupti_counts.so CUPTI_LIB=/path/libcupti.so.13 CUPTI_COUNTS=counts.tsv PROGRAM
 *
 * The program calls, having found them with dlsym(RTLD_DEFAULT, ...):
 *	cupti_counts_prepare()   early: CUPTI is loaded and its activities switched on
 *	cupti_counts_begin()     the GPU being idle: counting begins
 *	cupti_counts_end()       likewise: counts are written to $CUPTI_COUNTS
 * Each returns 0, or prints why not on stderr and returns 1.
 *
 * The file has one line for each: kind, in a graph replay or not (graph, stream), name or
 * bytes, count, separated by tabs; kinds are kernel, copy, set, call (of the driver or the
 * runtime), replays (graph launches) and dropped.
 *
 * For tests only: the library that is tested uses no CUPTI.
 */
#include <pthread.h>
#include <stdio.h>
#include "tests/gpu/cupti.h"

int cupti_counts_prepare(void);
int cupti_counts_begin(void);
int cupti_counts_end(void);

enum { DOMAIN_DRIVER = 1, DOMAIN_RUNTIME = 2 };

struct count {
	struct count *next;
	uint64_t count;
	const char *kind;
	int graph;
	char name[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct count *counts[1024];
static uint64_t begin_ns, end_ns = UINT64_MAX;
static int prepared, counting;
static size_t dropped_all;

static void add(const char *kind, int graph, const char *name)
{
	uint32_t hash = (uint32_t)graph;
	struct count **at, *one;

	for (const char *p = name; *p; p++)
		hash = hash * 31 + (uint8_t)*p;
	for (at = &counts[hash % 1024]; *at; at = &(*at)->next)
		if (!strcmp((*at)->kind, kind) && (*at)->graph == graph && !strcmp((*at)->name, name))
			break;
	if (!*at) {
		one = calloc(1, sizeof(*one) + strlen(name) + 1);
		if (!one)
			return;
		one->kind = kind;
		one->graph = graph;
		strcpy(one->name, name);
		*at = one;
	}
	(*at)->count++;
}

/* A runtime call and the driver call within it may share a correlation: count each replay once. */
static void add_replay(uint32_t correlation)
{
	static uint32_t *seen;
	static size_t count, room;

	for (size_t i = 0; i < count; i++)
		if (seen[i] == correlation)
			return;
	if (count == room) {
		uint32_t *more = realloc(seen, (room = room ? 2 * room : 256) * sizeof(*seen));

		if (!more)
			return;
		seen = more;
	}
	seen[count++] = correlation;
	add("replays", 0, "");
}

static void add_call(const void *record, int domain)
{
	const char *name = NULL;

	if (cupti.cuptiGetCallbackName(domain, u32_at(record, CUPTI_API_CBID), &name) || !name)
		return;
	add("call", 0, name);
	if (strstr(name, "GraphLaunch"))
		add_replay(u32_at(record, CUPTI_API_CORRELATION));
}

static void add_execution(const void *record, const struct cupti_shape *shape)
{
	const char *name = NULL;
	char bytes[24];

	if (shape->name >= 0)
		name = cupti_name_of(record, shape);
	else
		snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)u64_at(record, shape->bytes));
	add(shape->word, u64_at(record, shape->node) != 0, name ? name : shape->name >= 0 ? "(no name)" : bytes);
}

static void add_record(const void *record)
{
	int kind = (int)u32_at(record, 0), is_call = kind == CUPTI_DRIVER || kind == CUPTI_RUNTIME;
	uint64_t start = u64_at(record, is_call ? CUPTI_API_START : CUPTI_START);
	const struct cupti_shape *shape = cupti_shape_of(kind);

	if (start < begin_ns || start > end_ns)
		return;
	if (is_call)
		add_call(record, kind == CUPTI_DRIVER ? DOMAIN_DRIVER : DOMAIN_RUNTIME);
	else if (shape)
		add_execution(record, shape);
}

static void complete(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
	void *record = NULL;
	size_t dropped = 0;

	(void)size;
	pthread_mutex_lock(&lock);
	while (counting && valid && !cupti.cuptiActivityGetNextRecord(buffer, valid, &record))
		add_record(record);
	cupti.cuptiActivityGetNumDroppedRecords(context, stream, &dropped);
	dropped_all += dropped;
	pthread_mutex_unlock(&lock);
	free(buffer);
}

static int failed(const char *what, cupti_result code)
{
	fprintf(stderr, "cupti_counts: %s: %d\n", what, code);
	return 1;
}

static int load(void)
{
	static const struct cupti_need needs[] = {
		CUPTI_NEED_ACTIVITIES, CUPTI_NEED(cuptiGetCallbackName), CUPTI_NEED(cuptiGetTimestamp), { 0 },
	};
	const char *path = getenv("CUPTI_LIB"), *missing;
	void *library = dlopen(path ? path : "libcupti.so", RTLD_NOW);

	if (!library) {
		fprintf(stderr, "cupti_counts: %s\n", dlerror());
		return 1;
	}
	missing = cupti_find(library, needs);
	if (missing)
		fprintf(stderr, "cupti_counts: CUPTI has no %s\n", missing);
	return missing != NULL;
}

int cupti_counts_prepare(void)
{
	static const int kinds[] = { CUPTI_COPY, CUPTI_SET, CUPTI_CONCURRENT_KERNEL, CUPTI_DRIVER, CUPTI_RUNTIME };
	cupti_result code;

	if (prepared)
		return 0;
	if (load())
		return 1;
	code = cupti.cuptiActivityRegisterCallbacks(cupti_request, complete);
	if (code)
		return failed("cuptiActivityRegisterCallbacks", code);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		code = cupti.cuptiActivityEnable(kinds[i]);
		if (code)
			return failed("cuptiActivityEnable", code);
	}
	prepared = 1;
	return 0;
}

int cupti_counts_begin(void)
{
	cupti_result code;

	if (cupti_counts_prepare())
		return 1;
	code = cupti.cuptiActivityFlushAll(CUPTI_FLUSH_FORCED); /* what was before is not counted */
	if (!code)
		code = cupti.cuptiGetTimestamp(&begin_ns);
	if (code)
		return failed("cuptiActivityFlushAll", code);
	pthread_mutex_lock(&lock);
	counting = 1;
	pthread_mutex_unlock(&lock);
	return 0;
}

int cupti_counts_end(void)
{
	const char *path = getenv("CUPTI_COUNTS");
	cupti_result code = cupti.cuptiGetTimestamp(&end_ns);
	FILE *file;

	if (!code)
		code = cupti.cuptiActivityFlushAll(CUPTI_FLUSH_FORCED);
	if (code)
		return failed("cuptiActivityFlushAll", code);
	file = fopen(path ? path : "/dev/stdout", "w");
	if (!file)
		return failed(path, 0);
	pthread_mutex_lock(&lock);
	counting = 0;
	for (size_t i = 0; i < 1024; i++)
		for (const struct count *one = counts[i]; one; one = one->next)
			fprintf(file, "%s\t%s\t%s\t%llu\n", one->kind, one->graph ? "graph" : "stream", one->name,
				(unsigned long long)one->count);
	fprintf(file, "dropped\tstream\t\t%zu\n", dropped_all);
	pthread_mutex_unlock(&lock);
	return fclose(file) ? failed(path, 0) : 0;
}
