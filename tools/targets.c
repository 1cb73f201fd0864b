/*
 * targets.c - finding the processes that a command line means.
 */
#include "tools/targets.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/ring_inner.h"
#include "tools/run_folder.h"

/* How much of the definitions is looked through for a sign of work; beyond it there has been some. */
enum { IDLE_MOST = 128 << 10 };

struct words {
	char **places, **selecting;
	int place_count, selecting_count;
	int usual;            /* no place was named */
	unsigned char *used;  /* of selecting: has it fit a process? */
};

static int is_file_name(const char *word)
{
	size_t size = strlen(word);

	return strchr(word, '/') || (size > 5 && !strcmp(word + size - 5, ".ring"));
}

static int is_place(const char *word)
{
	struct stat st;

	return is_file_name(word) || (!stat(word, &st) && S_ISDIR(st.st_mode));
}

static int is_pid(const char *word, uint32_t *pid)
{
	uint64_t number;

	if (cli_parse_count(word, &number) || number > UINT32_MAX)
		return 0;
	*pid = (uint32_t)number;
	return 1;
}

static int words_sort(struct words *words, int argc, char **argv)
{
	words->places = calloc((size_t)argc + 1, sizeof(*words->places));
	words->selecting = calloc((size_t)argc + 1, sizeof(*words->selecting));
	words->used = calloc((size_t)argc + 1, 1);
	if (!words->places || !words->selecting || !words->used)
		return -ENOMEM;
	for (int i = 0; i < argc; i++) {
		if (is_place(argv[i]))
			words->places[words->place_count++] = argv[i];
		else
			words->selecting[words->selecting_count++] = argv[i];
	}
	words->usual = !words->place_count;
	if (words->usual)
		words->places[words->place_count++] = (char *)run_folder_usual();
	return 0;
}

static void words_free(struct words *words)
{
	free(words->places);
	free(words->selecting);
	free(words->used);
}

static int is_selected(struct words *words, struct target *target)
{
	int selected = !words->selecting_count;

	for (int i = 0; i < words->selecting_count; i++) {
		const char *word = words->selecting[i];
		uint32_t pid;
		int fits, number = is_pid(word, &pid);

		fits = number ? pid == target->ring.header.pid : role_matches(&target->role, word);
		if (!fits)
			continue;
		words->used[i] = 1;
		target->named |= number;
		selected = 1;
	}
	return selected;
}

/* Was this path itself given, and not found in a folder? */
static int is_named(const struct words *words, const char *path)
{
	for (int i = 0; i < words->place_count; i++)
		if (!strcmp(words->places[i], path))
			return 1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	int order = role_compare(&x->role, &y->role);

	if (order)
		return order;
	return (x->ring.header.pid > y->ring.header.pid) - (x->ring.header.pid < y->ring.header.pid);
}

/* Why a ring could not be opened; of another user's, whose it is. */
static void complain(struct targets *targets, const char *path, int error, const char *why)
{
	struct passwd *owner = NULL;
	struct stat st;

	targets->failed++;
	if (!targets->inputs.program)
		return;
	fprintf(stderr, "%s: %s: %s", targets->inputs.program, path, why);
	if (error == -EACCES && !lstat(path, &st) && st.st_uid != geteuid()) {
		owner = getpwuid(st.st_uid);
		fprintf(stderr, " (it belongs to %s, user %u)", owner ? owner->pw_name : "somebody else",
			(unsigned int)st.st_uid);
	}
	fputc('\n', stderr);
}

static void open_all(struct targets *targets, struct words *words)
{
	for (size_t i = 0; i < targets->inputs.count; i++) {
		const struct input *input = &targets->inputs.list[i];
		struct target *target = &targets->list[targets->count];
		char why[1280];
		int error;

		*target = (struct target){ .path = input->path };
		error = ring_open_parts(&target->ring, input->path, RING_LIVE | RING_ANCHORS, why, sizeof(why));
		if (error) {
			complain(targets, input->path, error, why);
			continue;
		}
		target->state = process_state(&target->ring);
		role_make(&target->role, &target->ring,
			  target->state == PROCESS_ALIVE || target->state == PROCESS_STOPPED);
		target->named = is_named(words, input->path);
		if (!target->ring.header.cut_ticks && is_selected(words, target))
			targets->count++;
		else
			ring_close(&target->ring);
	}
	if (targets->count)
		qsort(targets->list, targets->count, sizeof(*targets->list), compare);
}

static void complain_unused(struct targets *targets, const struct words *words)
{
	for (int i = 0; i < words->selecting_count; i++) {
		uint32_t pid;

		if (words->used[i])
			continue;
		targets->failed++;
		if (!targets->inputs.program)
			continue;
		fprintf(stderr, "%s: %s: no ring here is of a process with this %s (see vprof ps)\n",
			targets->inputs.program, words->selecting[i],
			is_pid(words->selecting[i], &pid) ? "pid" : "role or rank");
	}
}

/* Nobody named a folder, and where rings usually lie there are none. */
static void hint(const struct targets *targets, const struct words *words, int error)
{
	struct stat st;

	if (targets->inputs.program && words->usual && (error == -ENOENT || stat(words->places[0], &st)))
		fprintf(stderr, "%s: no folder was named, so rings were looked for in %s: name one%s\n",
			targets->inputs.program, words->places[0], getenv("VPROF_OUT") ? "" : ", or set VPROF_OUT");
}

int targets_find(struct targets *targets, const char *program, int argc, char **argv)
{
	struct words words = { 0 };
	int error;

	memset(targets, 0, sizeof(*targets));
	error = words_sort(&words, argc, argv);
	if (!error)
		error = inputs_collect(&targets->inputs, program, words.place_count, words.places);
	targets->failed = targets->inputs.failed;
	if (!error) {
		targets->list = calloc(targets->inputs.count, sizeof(*targets->list));
		error = targets->list ? 0 : -ENOMEM;
	}
	if (!error) {
		open_all(targets, &words);
		complain_unused(targets, &words);
	}
	if (words.place_count)
		hint(targets, &words, error);
	words_free(&words);
	return error;
}

void targets_close(struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		ring_close(&targets->list[i].ring);
	free(targets->list);
	inputs_close(&targets->inputs);
	memset(targets, 0, sizeof(*targets));
}

int targets_collect(struct inputs *inputs, const char *program, int argc, char **argv)
{
	struct targets targets;
	int error = targets_find(&targets, program, argc, argv);
	char **paths = calloc(targets.count + 1, sizeof(*paths));

	memset(inputs, 0, sizeof(*inputs));
	if (!paths)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < targets.count; i++)
		paths[i] = (char *)targets.list[i].path;
	if (!error)
		error = inputs_collect(inputs, program, (int)targets.count, paths);
	inputs->failed += targets.failed;
	if (error == -ENOENT && program && !inputs->failed)
		fprintf(stderr, "%s: no ring of a process, only copies\n", program);
	free(paths);
	targets_close(&targets);
	return error;
}

/* Definitions of these types come with the use of a device. */
static int tells_work(uint16_t type)
{
	switch (type) {
	case VPROF_DEF_KERNEL:
	case VPROF_DEF_GRAPH:
	case VPROF_DEF_MODULE:
	case VPROF_DEF_STREAM:
	case VPROF_DEF_EVENT:
	case VPROF_DEF_CONTEXT:
	case VPROF_DEF_DEVICE:
		return 1;
	}
	return 0;
}

int target_is_idle(const struct target *target)
{
	const struct ring *ring = &target->ring;
	uint64_t limit = ring_region(ring, ring->header.defs_offset, ring->header.defs_size);
	uint8_t *bytes = malloc(IDLE_MOST);
	ssize_t got = 0;
	int idle = 0;

	if (limit > IDLE_MOST)
		limit = IDLE_MOST;
	if (bytes)
		got = ring_pread(ring->fd, bytes, limit, ring->header.defs_offset);
	for (uint64_t at = 8; got > 0 && at + sizeof(struct vprof_def) <= (uint64_t)got;) {
		const struct vprof_def *def = (const struct vprof_def *)(const void *)(bytes + at);

		if (!def->size && !def->type)
			idle = 1; /* the end of them */
		if (idle || tells_work(def->type) || def->size < sizeof(*def) || def->size % 8)
			break;
		at += def->size;
	}
	free(bytes);
	return idle;
}
