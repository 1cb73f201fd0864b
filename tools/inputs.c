/*
 * inputs.c - finding and opening the rings that a command line names.
 */
#include "tools/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "tools/cli.h"
#include "tools/list.h"

__attribute__((format(printf, 3, 4)))
static void complain(struct inputs *inputs, const char *path, const char *format, ...)
{
	va_list args;

	inputs->failed++;
	if (!inputs->program)
		return;
	fprintf(stderr, "%s: %s: ", inputs->program, path);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void input_free(struct input *input)
{
	free(input->path);
	free(input->real);
}

/* Adds a file, once; the ring behind a dangling link is found missing when it is opened. */
static int add_file(struct inputs *inputs, const char *path)
{
	struct input *input;
	struct stat st = { 0 };
	int exists = !stat(path, &st);

	for (size_t i = 0; i < inputs->count; i++) {
		input = &inputs->list[i];
		if (exists && input->inode == st.st_ino && input->device == st.st_dev)
			return 0;
		if (!exists && !input->inode && !strcmp(input->path, path))
			return 0;
	}
	if (list_grow(inputs->list, inputs->count))
		return -ENOMEM;
	input = &inputs->list[inputs->count];
	memset(input, 0, sizeof(*input));
	input->ring.fd = -1;
	input->device = st.st_dev;
	input->inode = st.st_ino;
	input->path = strdup(path);
	if (!input->path)
		return -ENOMEM;
	input->real = realpath(path, NULL);
	if (!input->real)
		input->real = strdup(path);
	if (!input->real) {
		free(input->path);
		return -ENOMEM;
	}
	inputs->count++;
	return 0;
}

static int is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int is_ring_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && !strcmp(dot, ".ring");
}

/* NAME.snap-N.ring: by the process itself, beside its ring. */
static int is_copy_name(const char *name)
{
	const char *snap = strstr(name, ".snap-");

	return snap && snap[strspn(snap + 6, "0123456789") + 6] == '.' && is_ring_name(name);
}

static char *join(const char *folder, const char *name)
{
	size_t n = strlen(folder);
	char *path;

	if (asprintf(&path, n && folder[n - 1] == '/' ? "%s%s" : "%s/%s", folder, name) < 0)
		return NULL;
	return path;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/*
 * Adds the rings of a folder and returns their number or -ENOMEM. A folder without
 * rings may be one of output folders: then, if `deeper`, theirs.
 */
static int add_folder(struct inputs *inputs, const char *folder, int deeper)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, not_hidden, alphasort), found = 0, error = 0;
	size_t copies = 0;

	if (count < 0) {
		complain(inputs, folder, "cannot be listed: %s", strerror(errno));
		return 1; /* its message has been given */
	}
	/* Rings; else copies alone; else folders. */
	for (int rings = 2; rings >= 0 && !found && !error; rings--) {
		for (int i = 0; i < count && !error; i++) {
			char *path = join(folder, entries[i]->d_name);
			int copy = is_copy_name(entries[i]->d_name);

			if (!path) {
				error = -ENOMEM;
			} else if (rings == 2 && copy && !inputs->with_copies) {
				copies++;
			} else if (rings && is_ring_name(entries[i]->d_name)) {
				error = add_file(inputs, path);
				found++;
				copies = rings == 2 ? copies : 0;
			} else if (!rings && deeper && is_folder(path)) {
				error = add_folder(inputs, path, 0);
				found += error > 0 ? error : 0;
				error = error < 0 ? error : 0;
			}
			free(path);
		}
	}
	free_entries(entries, count);
	inputs->copies += copies;
	return error ? error : found;
}

static int add_path(struct inputs *inputs, const char *path)
{
	int found;

	if (!is_folder(path))
		return add_file(inputs, path);
	found = add_folder(inputs, path, 1);
	if (!found)
		complain(inputs, path, "holds no rings (files named *.ring)");
	return found < 0 ? found : 0;
}

static int add_pattern(struct inputs *inputs, const char *pattern)
{
	glob_t matches;
	int error = 0;
	int code = glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &matches);

	if (code == GLOB_NOSPACE)
		return -ENOMEM;
	if (code) {
		complain(inputs, pattern, "no file fits this pattern");
		return 0;
	}
	for (size_t i = 0; i < matches.gl_pathc && !error; i++)
		error = add_path(inputs, matches.gl_pathv[i]);
	globfree(&matches);
	return error;
}

static int collect(struct inputs *inputs, int argc, char **argv)
{
	int error = 0;

	for (int i = 0; i < argc && !error; i++) {
		struct stat st;

		/* A file may have any name: only what is no file can be a pattern. */
		if (lstat(argv[i], &st) && strpbrk(argv[i], "*?[{"))
			error = add_pattern(inputs, argv[i]);
		else
			error = add_path(inputs, argv[i]);
	}
	if (!error && !inputs->count)
		error = -ENOENT;
	if (error == -ENOMEM && inputs->program)
		fprintf(stderr, "%s: no memory\n", inputs->program);
	return error;
}

int inputs_collect(struct inputs *inputs, const char *program, int argc, char **argv)
{
	*inputs = (struct inputs){ .program = program };
	return collect(inputs, argc, argv);
}

int inputs_collect_copies(struct inputs *inputs, const char *program, int argc, char **argv)
{
	*inputs = (struct inputs){ .program = program, .with_copies = 1 };
	return collect(inputs, argc, argv);
}

/* Each ring stays open while it is read; there may be more than the usual limit allows. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_input(struct inputs *inputs, struct input *input)
{
	char why[1280];
	int error = ring_open(&input->ring, input->path, why, sizeof(why));

	if (error) {
		complain(inputs, input->path, "%s", why);
		return error;
	}
	if (input->ring.cut_bytes && inputs->program)
		fprintf(stderr, "%s: %s: is cut short: its last %llu bytes are missing\n", inputs->program, input->path,
			(unsigned long long)input->ring.cut_bytes);
	error = clock_build(&input->clock, &input->ring);
	if (error) {
		complain(inputs, input->path, "%s", strerror(-error));
		ring_close(&input->ring);
	}
	return error;
}

static int align(struct inputs *inputs)
{
	struct clock **clocks = calloc(inputs->count, sizeof(*clocks));
	const struct ring **rings = calloc(inputs->count, sizeof(*rings));
	int error = -ENOMEM;

	for (size_t i = 0; clocks && rings && i < inputs->count; i++) {
		clocks[i] = &inputs->list[i].clock;
		rings[i] = &inputs->list[i].ring;
	}
	if (clocks && rings)
		error = clock_align(clocks, rings, inputs->count);
	free(clocks);
	free(rings);
	if (error)
		fprintf(stderr, "%s: no memory\n", inputs->program);
	return error;
}

/* Is the process's own ring among those that are open, of which this is a copy? */
static int has_original(const struct inputs *inputs, const struct input *copy)
{
	const struct vprof_ring_header *h = &copy->ring.header;

	for (size_t i = 0; i < inputs->count; i++) {
		const struct vprof_ring_header *other = &inputs->list[i].ring.header;

		if (!other->cut_ticks && other->pid == h->pid && other->start_ticks == h->start_ticks &&
		    other->process_start == h->process_start && !strcmp(other->boot_id, h->boot_id))
			return 1;
	}
	return 0;
}

static void drop_copies(struct inputs *inputs)
{
	size_t kept = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		struct input *input = &inputs->list[i];

		if (input->ring.header.cut_ticks && has_original(inputs, input)) {
			ring_close(&input->ring);
			clock_free(&input->clock);
			input_free(input);
			inputs->copies++;
		} else {
			inputs->list[kept++] = *input;
		}
	}
	inputs->count = kept;
}

int inputs_open_all(struct inputs *inputs)
{
	size_t kept = 0;
	int error = -ENOENT;

	if (inputs->count > 64)
		raise_file_limit();
	for (size_t i = 0; i < inputs->count; i++) {
		struct input input = inputs->list[i];
		int failed = open_input(inputs, &input);

		if (failed) {
			error = failed;
			input_free(&input);
		} else {
			inputs->list[kept++] = input;
		}
	}
	inputs->count = kept;
	if (!inputs->with_copies)
		drop_copies(inputs);
	if (inputs->copies && inputs->program)
		fprintf(stderr,
			"%s: %zu %s (*.snap-N.ring) left out: read them without the rings that they are of\n",
			inputs->program, inputs->copies, cli_word(inputs->copies, "copy", "copies"));
	return kept ? align(inputs) : error;
}

int inputs_have_records(const struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->list[i].ring.chunk_count || !inputs->list[i].ring.cut_bytes)
			return 1;
	fprintf(stderr, "%s: no record is left in what there is of these rings\n", inputs->program);
	return 0;
}

void inputs_close(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		struct input *input = &inputs->list[i];

		ring_close(&input->ring);
		clock_free(&input->clock);
		input_free(input);
	}
	free(inputs->list);
	memset(inputs, 0, sizeof(*inputs));
}
