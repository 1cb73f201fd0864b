/*
 * cupti_times.c - records, by CUPTI, what a program executed on the GPU and when: what vprof is compared with.
 *
 *	CUDA_INJECTION64_PATH=cupti_times.so CUPTI_TIMES=FOLDER PROGRAM
 *
 * The driver loads it in cuInit() of each process and calls InitializeInjection(), so a process that
 * uses no CUDA never knows of it. CUPTI is found at run time: the file that CUPTI_LIB names; else what
 * the program has loaded, what the loader finds, a Python package beside one that the program has
 * loaded, and the toolkit's folders.
 *
 * Each process writes FOLDER/PID.tsv, a line an execution; tools/verify_read.h describes it. A thread
 * has CUPTI hand over what is complete each second, so a process that is killed loses no more than that.
 *
 * For tests only: the library that is tested uses no CUPTI.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "tests/gpu/cupti.h"

int InitializeInjection(void);

enum { LINE_ROOM = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over `out` */
static FILE *out;
static pid_t owner;
static char tried[4096]; /* where CUPTI was looked for */

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	vfprintf(out, format, args);
	fflush(out);
	pthread_mutex_unlock(&lock);
	va_end(args);
}

/* ---- CUPTI, wherever it is ---- */

static void *try(const char *path, int flags)
{
	size_t used = strlen(tried);
	void *library = dlopen(path, RTLD_NOW | flags);

	if (!library && !flags)
		snprintf(tried + used, sizeof(tried) - used, "%s%s", used ? ", " : "", path);
	return library;
}

/* Of the files that fit the last by name, which is the newest. */
static void *try_pattern(const char *pattern)
{
	void *library = NULL;
	size_t used = strlen(tried);
	glob_t found;

	if (glob(pattern, 0, NULL, &found)) {
		snprintf(tried + used, sizeof(tried) - used, "%s%s", used ? ", " : "", pattern);
		return NULL;
	}
	for (size_t i = found.gl_pathc; i-- && !library;)
		library = try(found.gl_pathv[i], 0);
	globfree(&found);
	return library;
}

/* Of the path in a line of /proc/self/maps: the folder of Python packages that it lies in, or NULL. */
static char *packages_of(char *line)
{
	char *path = strchr(line, '/'), *end = path ? strstr(path, "-packages/") : NULL;

	if (!end)
		return NULL;
	end[strlen("-packages")] = '\0';
	return path;
}

static void *try_packages(void)
{
	char line[PATH_MAX + 128], pattern[PATH_MAX + 256], last[PATH_MAX] = "", *folder;
	FILE *maps = fopen("/proc/self/maps", "re");
	void *library = NULL;

	while (maps && !library && fgets(line, sizeof(line), maps)) {
		folder = packages_of(line);
		if (!folder || !strcmp(folder, last))
			continue;
		snprintf(last, sizeof(last), "%s", folder);
		snprintf(pattern, sizeof(pattern), "%s/nvidia/*/lib/libcupti.so.1[0-9]", folder);
		library = try_pattern(pattern);
	}
	if (maps)
		fclose(maps);
	return library;
}

static void *find_cupti(void)
{
	static const char *const names[] = { "libcupti.so.13", "libcupti.so.12", "libcupti.so" };
	static const char *const patterns[] = {
		"/usr/local/cuda/extras/CUPTI/lib64/libcupti.so.1[0-9]", "/usr/local/cuda/lib64/libcupti.so.1[0-9]",
		"/usr/local/cuda-*/extras/CUPTI/lib64/libcupti.so.1[0-9]", "/opt/cuda/extras/CUPTI/lib64/libcupti.so.1[0-9]",
		"/usr/lib/*-linux-gnu/libcupti.so.1[0-9]",
	};
	const char *named = getenv("CUPTI_LIB");
	void *library = NULL;

	if (named && *named)
		return try(named, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !library; i++)
		library = try(names[i], RTLD_NOLOAD);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !library; i++)
		library = try(names[i], 0);
	if (!library)
		library = try_packages();
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]) && !library; i++)
		library = try_pattern(patterns[i]);
	return library;
}

static int load(void)
{
	static const struct cupti_need needs[] = { CUPTI_NEED_ACTIVITIES, CUPTI_NEED(cuptiGetResultString), { 0 } };
	void *library = find_cupti();
	const char *missing;

	if (!library) {
		tell("# error no CUPTI that can be loaded; tried %s; CUPTI_LIB=FILE names one\n", tried);
		return -1;
	}
	missing = cupti_find(library, needs);
	if (!missing)
		return 0;
	tell("# error CUPTI has no %s\n", missing);
	return -1;
}

/* ---- records ---- */

static void put_record(const void *record)
{
	const struct cupti_shape *shape = cupti_shape_of((int)u32_at(record, 0));
	uint64_t start, end;

	if (!shape)
		return;
	start = u64_at(record, CUPTI_START);
	end = u64_at(record, CUPTI_END);
	if (!start || end < start)
		return;
	if (shape->name >= 0) {
		const char *name = cupti_name_of(record, shape);

		fprintf(out, "%s\t%s", shape->word, name ? name : "?");
	} else {
		fprintf(out, "%s\t%llu", shape->word, (unsigned long long)u64_at(record, shape->bytes));
	}
	fprintf(out, "\t%u\t%u\t%u\t%u\t%llu\t%llu\t%llu", u32_at(record, shape->device),
		u32_at(record, shape->stream), u32_at(record, shape->correlation),
		u64_at(record, shape->node) ? u32_at(record, shape->graph) : 0,
		(unsigned long long)u64_at(record, shape->node), (unsigned long long)start, (unsigned long long)end);
	for (int i = 0; i < CUPTI_SHAPE_NUMBERS; i++)
		fprintf(out, "\t%u", shape->name >= 0 ? u32_at(record, CUPTI_KERNEL_SHAPE + 4 * i) : 0);
	fputc('\n', out);
}

static void complete(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
	void *record = NULL;
	size_t dropped = 0;

	(void)size;
	pthread_mutex_lock(&lock);
	while (valid && !cupti.cuptiActivityGetNextRecord(buffer, valid, &record))
		put_record(record);
	cupti.cuptiActivityGetNumDroppedRecords(context, stream, &dropped);
	if (dropped)
		fprintf(out, "# dropped %zu\n", dropped);
	fflush(out);
	pthread_mutex_unlock(&lock);
	free(buffer);
}

/* ---- from cuInit() to the end ---- */

static int check(const char *what, cupti_result code)
{
	const char *text = NULL;

	if (!code)
		return 0;
	cupti.cuptiGetResultString(code, &text);
	tell("# error %s: %s (%d)\n", what, text ? text : "no CUPTI error", code);
	return -1;
}

/* Without kernels there is nothing to record; plain KERNEL would have them run one after the other. */
static int enable_all(void)
{
	static const int moves[] = { CUPTI_COPY, CUPTI_PEER_COPY, CUPTI_SET };

	if (check("cuptiActivityEnable", cupti.cuptiActivityEnable(CUPTI_CONCURRENT_KERNEL)))
		return -1;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		check("cuptiActivityEnable of copies and sets", cupti.cuptiActivityEnable(moves[i]));
	return 0;
}

static pthread_mutex_t flushing = PTHREAD_MUTEX_INITIALIZER; /* over `ended`: nobody flushes after the end */
static int ended;

static void *hand_over(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;) {
		sleep(1);
		pthread_mutex_lock(&flushing);
		if (!ended)
			cupti.cuptiActivityFlushAll(0);
		pthread_mutex_unlock(&flushing);
	}
	return unused;
}

/* A child of fork() has CUPTI's memory and not its threads. */
static void at_end(void)
{
	if (getpid() != owner)
		return;
	pthread_mutex_lock(&flushing);
	ended = 1;
	cupti.cuptiActivityFlushAll(CUPTI_FLUSH_FORCED);
	pthread_mutex_unlock(&flushing);
}

static int open_file(void)
{
	const char *folder = getenv("CUPTI_TIMES");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d.tsv", folder ? folder : ".", (int)getpid());
	out = fopen(path, "we");
	if (!out) {
		fprintf(stderr, "cupti_times: %s: %s\n", path, strerror(errno));
		return -1;
	}
	setvbuf(out, NULL, _IOFBF, LINE_ROOM);
	owner = getpid();
	return 0;
}

/* The driver's cuInit() goes on in any case, and does not care what comes back. */
__attribute__((visibility("default"))) int InitializeInjection(void)
{
	Dl_info found = { .dli_fname = "" };
	pthread_t thread;

	if (owner == getpid() || open_file() || load())
		return 1;
	if (check("cuptiActivityRegisterCallbacks", cupti.cuptiActivityRegisterCallbacks(cupti_request, complete)) || enable_all())
		return 1;
	atexit(at_end);
	if (!pthread_create(&thread, NULL, hand_over, NULL))
		pthread_detach(thread);
	dladdr((void *)(uintptr_t)cupti.cuptiActivityEnable, &found);
	tell("# recorded by %s\n", found.dli_fname);
	return 1;
}
