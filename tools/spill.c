/*
 * spill.c - finding the files of a ring's spill.
 *
 * For the ring NAME.ring they are NAME.spill.N in the folder of the name that the user gave, or, for
 * a ring on tmpfs that is named directly, beside the entry that its header tells of. A copy of a ring
 * (cut_ticks) has those beside it or none.
 */
#include "tools/spill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/ring_inner.h"
#include "tools/spill_inner.h"

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* "NAME.spill." for ".../NAME.ring". */
static char *stem_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	char *stem;

	if (length > 5 && !strcmp(name + length - 5, ".ring"))
		length -= 5;
	return asprintf(&stem, "%.*s.spill.", (int)length, name) < 0 ? NULL : stem;
}

struct spill *spill_open(const struct vprof_ring_header *header, const char *path)
{
	struct spill *spill = calloc(1, sizeof(*spill));

	if (!spill)
		return NULL;
	spill->header = *header;
	spill->folder = folder_of(path);
	spill->stem = stem_of(path);
	if (header->link[0] == '/' && !header->cut_ticks)
		spill->folder_link = folder_of(header->link);
	if (spill->folder && spill->stem)
		return spill;
	spill_close(spill);
	return NULL;
}

void spill_close(struct spill *spill)
{
	if (!spill)
		return;
	spill_cache_drop(spill);
	for (uint32_t i = 0; i < spill->file_count; i++)
		if (spill->files[i].fd >= 0)
			close(spill->files[i].fd);
	free(spill->files);
	free(spill->frames);
	free(spill->folder);
	free(spill->folder_link);
	free(spill->stem);
	free(spill);
}

static int is_ours(const struct spill *spill, const struct vprof_spill_header *h, ssize_t got)
{
	const struct vprof_ring_header *ring = &spill->header;

	return got == sizeof(*h) && h->magic == VPROF_SPILL_MAGIC && h->byte_order == VPROF_RING_BYTE_ORDER &&
	       h->major == VPROF_SPILL_MAJOR && h->frame_size == sizeof(struct vprof_spill_frame) &&
	       h->header_size >= sizeof(*h) && !(h->header_size % 8) &&
	       h->check == vprof_spill_check(h, offsetof(struct vprof_spill_header, check), 0) &&
	       h->start_ticks == ring->start_ticks && h->process_start == ring->process_start &&
	       h->pid == ring->pid && h->clock == ring->clock &&
	       !strncmp(h->boot_id, ring->boot_id, sizeof(h->boot_id));
}

/* Opens a file and looks whose it is; fd -1: not ours. */
static void file_open(struct spill *spill, struct spill_file *file, int folder, const char *name)
{
	struct vprof_spill_header header;
	struct stat st;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	file->fd = -1;
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    is_ours(spill, &header, ring_pread(fd, &header, sizeof(header), 0))) {
		file->fd = fd;
		file->scanned = header.header_size;
		spill->sums.files++;
		if (header.dropped_files >= spill->sums.dropped_files) {
			spill->sums.dropped_files = header.dropped_files;
			spill->sums.dropped_chunks = header.dropped_chunks;
		}
		return;
	}
	/* One that was just begun has no header yet: looked at again. */
	spill->sums.bad_files += st.st_size > 0;
	close(fd);
}

static int file_known(const struct spill *spill, uint64_t number)
{
	for (uint32_t i = 0; i < spill->file_count; i++)
		if (spill->files[i].number == number)
			return 1;
	return 0;
}

static int file_add(struct spill *spill, int folder, const char *name, uint64_t number)
{
	struct spill_file *more;

	if (file_known(spill, number))
		return 0;
	more = reallocarray(spill->files, spill->file_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	spill->files = more;
	more[spill->file_count] = (struct spill_file){ .number = number };
	file_open(spill, &more[spill->file_count], folder, name);
	spill->file_count++;
	return 0;
}

/* The N of a name of ours; -1: it is none. */
static int64_t number_of(const struct spill *spill, const char *name)
{
	size_t length = strlen(spill->stem);
	char *end;
	long long n;

	if (strncmp(name, spill->stem, length) || name[length] < '0' || name[length] > '9')
		return -1;
	errno = 0;
	n = strtoll(name + length, &end, 10);
	return errno || *end || n < 0 ? -1 : n;
}

static int folder_scan(struct spill *spill, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int error = 0;

	if (!dir)
		return 0;
	while (!error && (entry = readdir(dir))) {
		int64_t number = number_of(spill, entry->d_name);

		if (number >= 0)
			error = file_add(spill, dirfd(dir), entry->d_name, (uint64_t)number);
	}
	closedir(dir);
	return error;
}

/* How far a file goes now. */
static void file_measure(struct spill_file *file)
{
	struct stat st;

	if (!fstat(file->fd, &st) && st.st_size > 0 && (uint64_t)st.st_size > file->size)
		file->size = (uint64_t)st.st_size;
}

/* Opens what there is. */
static int look(struct spill *spill)
{
	int error = folder_scan(spill, spill->folder);

	if (!error && !spill->file_count && spill->folder_link)
		error = folder_scan(spill, spill->folder_link);
	return error;
}

int spill_is_there(const struct vprof_ring_header *header, const char *path)
{
	struct spill *spill = spill_open(header, path);
	int there = spill && !look(spill) && spill->sums.files;

	spill_close(spill);
	return there;
}

uint64_t spill_first_ticks(const struct vprof_ring_header *header, const char *path)
{
	struct spill *spill = spill_open(header, path);
	const struct spill_file *first = NULL;
	uint64_t ticks;

	if (spill)
		look(spill);
	for (uint32_t i = 0; spill && i < spill->file_count; i++)
		if (spill->files[i].fd >= 0 && (!first || spill->files[i].number < first->number))
			first = &spill->files[i];
	ticks = first ? spill_frame_ticks(first) : 0;
	spill_close(spill);
	return ticks;
}

int spill_update(struct spill *spill, spill_add *add, void *context)
{
	int error = look(spill);

	spill->sums.bytes = spill->sums.torn_bytes = 0;
	for (uint32_t i = 0; i < spill->file_count && !error; i++) {
		struct spill_file *file = &spill->files[i];

		if (file->fd < 0)
			continue;
		file_measure(file);
		error = spill_scan(spill, i, add, context);
		spill->sums.bytes += file->size;
		spill->sums.torn_bytes += file->size > file->scanned ? file->size - file->scanned : 0;
	}
	return error;
}
