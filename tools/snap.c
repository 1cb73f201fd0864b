/*
 * snap.c - the folder, the moment, and the work shared out: a thread takes one ring after the other.
 */
#include "tools/snap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tools/now.h"
#include "tools/process.h"
#include "tools/spill.h"

enum {
	THREADS = 2,
	THREAD_SHARE = 4,     /* of the processors, that many in all for one thread of ours: most stay the programs' */
	NAMES_TRIED = 1000,
};

struct work {
	struct inputs *inputs;
	int folder;
	int made;              /* the folder was made here */
	uint64_t cut_ns, last_ns;
	size_t next;           /* input to copy; both threads take from it, relaxed: it is only counted */
	struct outcome {
		struct snap_copy copy;
		int error;
	} *outcomes;
};

/* ---- the folder ---- */

static int folder_is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int empty = 1;

	if (!dir)
		return -errno;
	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(dir);
	return empty;
}

/* 0: `path` is a folder now with nothing in it. -ENOTEMPTY: it is one, with something. */
static int folder_take(const char *path, int *fd, int *made)
{
	int empty;

	*made = !mkdir(path, 0700);
	if (!*made && errno != EEXIST)
		return -errno;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	empty = folder_is_empty(path);
	if (empty > 0)
		return 0;
	close(*fd);
	return empty ? empty : -ENOTEMPTY;
}

/* snap-20261122-104501, and .1, .2 and so on behind it when there is one. */
static int folder_make_default(struct snap_result *r, const char *parent, int *fd)
{
	time_t seconds = (time_t)(now_ns(CLOCK_REALTIME) / 1000000000);
	const char *slash = parent && *parent && parent[strlen(parent) - 1] != '/' ? "/" : "";
	char date[32], number[16] = "";
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	for (int i = 0; i < NAMES_TRIED; i++) {
		if (i)
			snprintf(number, sizeof(number), ".%d", i);
		if (snprintf(r->folder, sizeof(r->folder), "%s%ssnap-%s%s", parent ? parent : "", slash, date,
			     number) >= (int)sizeof(r->folder))
			return -ENAMETOOLONG;
		if (!mkdir(r->folder, 0700)) {
			*fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			return *fd < 0 ? -errno : 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* ---- the copies ---- */

/* The name of the entry, as the process gave it. */
static const char *copy_name(const struct input *input)
{
	const char *slash = strrchr(input->path, '/');

	return slash ? slash + 1 : input->path;
}


/* The header is all that is needed until the moment is there. */
static void open_rings(struct inputs *inputs, struct snap_result *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		struct input *input = &inputs->list[i];
		char why[1280];

		if (ring_open_parts(&input->ring, input->path, 0, why, sizeof(why))) {
			fprintf(stderr, "%s: %s: %s\n", inputs->program, input->path, why);
			r->failed++;
			free(input->path);
			free(input->real);
		} else {
			inputs->list[kept++] = *input;
		}
	}
	inputs->count = kept;
}

static void copy_next(struct work *work, size_t i)
{
	struct input *input = &work->inputs->list[i];
	struct outcome *outcome = &work->outcomes[i];

	/* Copies stay what they are; other boots have another clock. Neither is a ring of this moment. */
	if (input->ring.header.cut_ticks || !process_same_boot(&input->ring))
		outcome->error = -ENODATA;
	else
		outcome->error = snap_copy_ring(input, work->folder, copy_name(input), work->cut_ns, work->last_ns,
						&outcome->copy);
}

/*
 * Of the same rank as the programs that are copied: with a lower one, on a machine whose processors are all
 * busy, those would overwrite their rings before we are given a turn.
 */
static void *copy_rings(void *argument)
{
	struct work *work = argument;
	size_t i;

	while ((i = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < work->inputs->count)
		copy_next(work, i);
	return NULL;
}

/* A thread that cannot be had is not needed: whichever there is takes all. */
static void work_do(struct work *work)
{
	pthread_t threads[THREADS];
	long most = sysconf(_SC_NPROCESSORS_ONLN) / THREAD_SHARE;
	size_t count = 0;

	most = most < 1 ? 1 : most > THREADS ? THREADS : most;
	while (count < (size_t)most && count < work->inputs->count &&
	       !pthread_create(&threads[count], NULL, copy_rings, work))
		count++;
	if (!count)
		copy_rings(work);
	while (count)
		pthread_join(threads[--count], NULL);
}

/* Adds up, and says what went wrong; the first error when there is no copy. */
static int work_sum(const struct work *work, struct snap_result *r)
{
	int error = -ENODATA;

	for (size_t i = 0; i < work->inputs->count; i++) {
		const struct outcome *outcome = &work->outcomes[i];

		if (outcome->error == -ENODATA) {
			r->skipped++;
		} else if (outcome->error) {
			r->failed++;
			error = error == -ENODATA ? outcome->error : error;
			fprintf(stderr, "%s: %s: cannot be copied to %s: %s\n", work->inputs->program,
				work->inputs->list[i].path, r->folder, strerror(-outcome->error));
		} else {
			r->rings++;
			r->spilled += (size_t)spill_is_there(&work->inputs->list[i].ring.header,
							     work->inputs->list[i].path);
			r->bytes += outcome->copy.bytes;
			r->records += outcome->copy.records;
			r->in_flight += outcome->copy.in_flight;
			r->lost += outcome->copy.lost;
		}
	}
	return r->rings ? 0 : error;
}

static int folder_open(struct work *work, const struct snap_options *options, struct snap_result *r)
{
	int error;

	if (options->folder) {
		if (strlen(options->folder) >= sizeof(r->folder))
			return -ENAMETOOLONG;
		strcpy(r->folder, options->folder);
		error = folder_take(r->folder, &work->folder, &work->made);
	} else {
		work->made = 1;
		error = folder_make_default(r, options->parent, &work->folder);
	}
	if (error)
		fprintf(stderr, "%s: %s: %s\n", work->inputs->program, r->folder,
			error == -ENOTEMPTY ? "is there already and not empty: copies go to a folder of their own"
					    : strerror(-error));
	return error;
}

int snap_take(struct inputs *inputs, const struct snap_options *options, struct snap_result *r)
{
	struct work work = { .inputs = inputs, .folder = -1, .last_ns = options->last_ns };
	int error;

	memset(r, 0, sizeof(*r));
	error = folder_open(&work, options, r);
	if (error)
		return error;
	open_rings(inputs, r);
	work.outcomes = calloc(inputs->count + 1, sizeof(*work.outcomes));
	if (!work.outcomes) {
		error = -ENOMEM;
	} else {
		work.cut_ns = r->cut_ns = now_ns(CLOCK_MONOTONIC);
		r->cut_realtime_ns = now_ns(CLOCK_REALTIME);
		work_do(&work);
		r->took_ns = now_ns(CLOCK_MONOTONIC) - r->cut_ns;
		error = work_sum(&work, r);
	}
	close(work.folder);
	if (error && work.made)
		rmdir(r->folder);
	if (error == -ENODATA || error == -ENOMEM)
		fprintf(stderr, "%s: %s\n", inputs->program,
			error == -ENOMEM ? "no memory" : "there is nothing to copy");
	free(work.outcomes);
	return error;
}
