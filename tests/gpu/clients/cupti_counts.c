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
 * For tests only: the library that is tested uses no CUPTI. No header of CUPTI is needed: records
 * are read at the offsets below, which are the same from CUDA 12.0 to 13.0.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cupti_counts_prepare(void);
int cupti_counts_begin(void);
int cupti_counts_end(void);

enum { KIND_COPY = 1, KIND_SET = 2, KIND_KERNEL = 3, KIND_DRIVER = 4, KIND_RUNTIME = 5, KIND_CONCURRENT_KERNEL = 10 };
enum { DOMAIN_DRIVER = 1, DOMAIN_RUNTIME = 2 };
enum { BUFFER_SIZE = 8 << 20, FLUSH_FORCED = 1 };

/* Where CUpti_Activity... have their fields. */
enum {
	API_CBID = 4, API_START = 8, API_CORRELATION = 32,
	MOVE_BYTES = 8, MOVE_START = 16, MOVE_GRAPH_NODE = 64, /* copies and sets */
	KERNEL_START = 16, KERNEL_NAME = 104, KERNEL_GRAPH_NODE = 144,
};

typedef int result;
static struct {
	result (*cuptiActivityRegisterCallbacks)(void (*request)(uint8_t **, size_t *, size_t *),
						 void (*complete)(void *, uint32_t, uint8_t *, size_t, size_t));
	result (*cuptiActivityEnable)(int kind);
	result (*cuptiActivityFlushAll)(uint32_t flag);
	result (*cuptiActivityGetNextRecord)(uint8_t *buffer, size_t valid, void **record);
	result (*cuptiActivityGetNumDroppedRecords)(void *context, uint32_t stream, size_t *dropped);
	result (*cuptiGetCallbackName)(int domain, uint32_t cbid, const char **name);
	result (*cuptiGetTimestamp)(uint64_t *ns);
} cupti;

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

static uint32_t u32_at(const void *record, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)record + offset, sizeof(value));
	return value;
}

static uint64_t u64_at(const void *record, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)record + offset, sizeof(value));
	return value;
}

static void add(const char *kind, int graph, const char *name)
{
	uint32_t hash = (uint32_t)graph;
	struct count **at, *one;

	for (const char *p = name; *p; p++)
		hash = hash * 31 + (uint8_t)*p;
	for (at = &counts[hash % 1024]; *at; at = &(*at)->next)
		if ((*at)->kind == kind && (*at)->graph == graph && !strcmp((*at)->name, name))
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
	static const char call[] = "call";
	const char *name = NULL;

	if (cupti.cuptiGetCallbackName(domain, u32_at(record, API_CBID), &name) || !name)
		return;
	add(call, 0, name);
	if (strstr(name, "GraphLaunch"))
		add_replay(u32_at(record, API_CORRELATION));
}

static void add_move(const char *kind, const void *record)
{
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)u64_at(record, MOVE_BYTES));
	add(kind, u64_at(record, MOVE_GRAPH_NODE) != 0, bytes);
}

static void add_record(const void *record)
{
	static const char copy[] = "copy", set[] = "set", kernel[] = "kernel";
	uint32_t kind = u32_at(record, 0);
	int is_call = kind == KIND_DRIVER || kind == KIND_RUNTIME;
	uint64_t start = u64_at(record, is_call ? API_START : KERNEL_START);
	const char *name;

	if (start < begin_ns || start > end_ns)
		return;
	switch (kind) {
	case KIND_DRIVER:
		add_call(record, DOMAIN_DRIVER);
		break;
	case KIND_RUNTIME:
		add_call(record, DOMAIN_RUNTIME);
		break;
	case KIND_COPY:
		add_move(copy, record);
		break;
	case KIND_SET:
		add_move(set, record);
		break;
	case KIND_KERNEL:
	case KIND_CONCURRENT_KERNEL:
		memcpy(&name, (const char *)record + KERNEL_NAME, sizeof(name));
		add(kernel, u64_at(record, KERNEL_GRAPH_NODE) != 0, name ? name : "(no name)");
		break;
	}
}

static void request(uint8_t **buffer, size_t *size, size_t *records)
{
	*buffer = aligned_alloc(64, BUFFER_SIZE);
	*size = *buffer ? BUFFER_SIZE : 0;
	*records = 0;
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

static int failed(const char *what, result code)
{
	fprintf(stderr, "cupti_counts: %s: %d\n", what, code);
	return 1;
}

static int load(void)
{
	const char *path = getenv("CUPTI_LIB");
	void *library = dlopen(path ? path : "libcupti.so", RTLD_NOW);

	if (!library) {
		fprintf(stderr, "cupti_counts: %s\n", dlerror());
		return 1;
	}
#define GET(name) \
	do { \
		*(void **)&cupti.name = dlsym(library, #name); \
		if (!cupti.name) \
			return failed("no " #name, 0); \
	} while (0)
	GET(cuptiActivityRegisterCallbacks);
	GET(cuptiActivityEnable);
	GET(cuptiActivityFlushAll);
	GET(cuptiActivityGetNextRecord);
	GET(cuptiActivityGetNumDroppedRecords);
	GET(cuptiGetCallbackName);
	GET(cuptiGetTimestamp);
#undef GET
	return 0;
}

int cupti_counts_prepare(void)
{
	static const int kinds[] = { KIND_COPY, KIND_SET, KIND_CONCURRENT_KERNEL, KIND_DRIVER, KIND_RUNTIME };
	result code;

	if (prepared)
		return 0;
	if (load())
		return 1;
	code = cupti.cuptiActivityRegisterCallbacks(request, complete);
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
	result code;

	if (cupti_counts_prepare())
		return 1;
	code = cupti.cuptiActivityFlushAll(FLUSH_FORCED); /* what was before is not counted */
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
	result code = cupti.cuptiGetTimestamp(&end_ns);
	FILE *file;

	if (!code)
		code = cupti.cuptiActivityFlushAll(FLUSH_FORCED);
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
