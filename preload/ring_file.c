/*
 * ring_file.c - makes and maps the file of a ring.
 *
 * Where its pages lie decides whether recording can wait for storage: a page of a
 * shared mapping on a journalling file system faults again after every writeback, and that
 * fault can wait for the journal. So the file is made on tmpfs (/dev/shm/vprof-UID) with a
 * symbolic link in the output folder, unless the folder is tmpfs itself, or /dev/shm is so
 * small that the program may need it (containers have 64 MiB): then the file lies
 * in the folder, and housekeeping touches the pages ahead of the writers.
 *
 * Every byte is reserved before use, so a full disk is an error here and never a SIGBUS
 * later. Runs once in a process, with signals blocked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/text.h"

#define SHM_FOLDER "/dev/shm"

enum {
	SHM_SHARE = 8,        /* of what tmpfs has free, a ring takes at most one part in so many */
	NAMES_TRIED = 100,    /* exec keeps pid and start time: a process may have several rings */
};

static int is_memory(const char *path, struct statfs *fs)
{
	return !statfs(path, fs) && (fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC);
}

/* ---- folders ---- */

/* Makes `path` and the folders above it, as mkdir -p; an existing one is fine. */
static int folder_make(const char *path)
{
	char part[PATH_TEXT];
	size_t length = strlen(path);
	int refused = 0;

	for (size_t i = 1; i <= length; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (!mkdir(part, 0777) || errno == EEXIST)
			continue;
		/* One that exists may be refused as well; one that is missing shows in the next. */
		if (i == length || errno != EACCES)
			return refused && errno == ENOENT ? -EACCES : -errno;
		refused = 1;
	}
	return 0;
}

/* Our private folder on tmpfs: refused when it is a link or another user's. */
static int shm_folder_make(struct vprof_text *path)
{
	struct stat st;

	vprof_text_put(path, SHM_FOLDER "/vprof-");
	vprof_text_number(path, geteuid());
	if (mkdir(path->text, 0700)) {
		if (errno != EEXIST)
			return -errno;
	} else if (chmod(path->text, 0700)) { /* whatever the program's umask is: others come after us */
		return -errno;
	}
	if (vprof_stat(path->text, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

/* ---- one file, made nowhere or whole ---- */

/* 0, or a negative errno: -EOPNOTSUPP or -ENOSYS where the file system or the kernel has no way to. */
static int file_allocate(int fd, uint64_t size)
{
	while (syscall(SYS_fallocate, fd, 0, (off_t)0, (off_t)size))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Reserves the file's bytes; by writing zeroes where they cannot be allocated. */
static int ring_reserve(int fd, uint64_t size)
{
	static const char zeroes[65536];
	int error = file_allocate(fd, size);

	if (error != -EOPNOTSUPP && error != -ENOSYS)
		return error;
	error = 0;
	for (uint64_t at = 0; at < size && !error; at += sizeof(zeroes))
		error = vprof_pwrite(fd, zeroes, size - at < sizeof(zeroes) ? size - at : sizeof(zeroes), at);
	return error;
}

struct place {
	char file[PATH_TEXT];  /* where the ring's bytes go */
	char link[PATH_TEXT];  /* entry in the output folder that leads there; empty: the file itself */
	int on_memory;
};

static int map_file(struct vprof_map *map, int fd, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *word;

	if (p == MAP_FAILED)
		return -errno;
	word = vprof_word_map(fd);
	if (word == MAP_FAILED) {
		int error = -errno;

		munmap(p, size);
		return error;
	}
	/* A core dump holds the ring only when asked for shared pages; a copy in a child is of no use. */
	map->header = p;
	map->size = size;
	map->word = word;
	return 0;
}

static void unmap_file(struct vprof_map *map)
{
	if (map->word)
		vprof_word_unmap(map->word);
	munmap(map->header, map->size);
	memset(map, 0, sizeof(*map));
}

/* Creates place->file with `size` bytes and maps it; on failure nothing is left. */
static int file_make(struct vprof_map *map, const struct place *place, uint64_t size)
{
	int fd = open(place->file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), error;

	if (fd < 0)
		return -errno;
	error = fchmod(fd, 0600) ? -errno : 0;
	if (!error)
		error = ring_reserve(fd, size);
	if (!error)
		error = map_file(map, fd, size);
	if (!error && place->link[0] && symlink(place->file, place->link)) {
		error = -errno;
		unmap_file(map);
	}
	if (error)
		unlink(place->file);
	close(fd);
	return error;
}

void vprof_ring_name(struct vprof_text *name, const struct vprof_ring_header *h)
{
	for (const char *c = h->host; *c; c++) {
		char one[2] = { *c, 0 };
		int plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			(*c >= 'A' && *c <= 'Z') || *c == '-';

		vprof_text_put(name, plain ? one : "_");
	}
	vprof_text_put(name, ".");
	vprof_text_number(name, h->pid);
	vprof_text_put(name, ".");
	vprof_text_number(name, h->process_start);
}

static void file_name(struct vprof_text *name, const struct vprof_ring_header *h, unsigned attempt)
{
	vprof_ring_name(name, h);
	if (attempt) {
		vprof_text_put(name, "-");
		vprof_text_number(name, attempt);
	}
	vprof_text_put(name, ".ring");
}

static int place_try(struct vprof_map *map, const char *out, const char *shm, const struct vprof_ring_header *h,
		     struct place *place)
{
	int error = -EEXIST;

	for (unsigned i = 0; i < NAMES_TRIED && error == -EEXIST; i++) {
		struct vprof_text entry = VPROF_TEXT(place->link);
		struct vprof_text file = VPROF_TEXT(place->file);
		struct vprof_text *texts[2] = { &entry, &file };
		const char *folders[2] = { out, shm ? shm : out };

		for (int k = 0; k < 2; k++) {
			vprof_text_put(texts[k], folders[k]);
			vprof_text_put(texts[k], "/");
			file_name(texts[k], h, i);
		}
		if (!shm)
			place->link[0] = 0;
		error = entry.cut || file.cut ? -ENAMETOOLONG : file_make(map, place, h->file_size);
	}
	return error;
}

/* ---- the choice of the place ---- */

static int wants_shm(const char *out, uint64_t size)
{
	struct statfs fs;

	if (!strcmp(vprof_config.ring_at, "out") || is_memory(out, &fs))
		return 0;
	if (!is_memory(SHM_FOLDER, &fs))
		return 0;
	if (!strcmp(vprof_config.ring_at, "shm"))
		return 1;
	if (strcmp(vprof_config.ring_at, "auto"))
		vprof_log("VPROF_RING_AT=%s is not shm, out or auto; auto holds", vprof_config.ring_at);
	return (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / SHM_SHARE >= size;
}

static int file_place(struct vprof_map *map, const char *out, struct vprof_ring_header *h, struct place *place)
{
	char folder[PATH_TEXT];
	struct vprof_text shm = VPROF_TEXT(folder);
	struct statfs fs;
	int error = -ENOENT;

	if (wants_shm(out, h->file_size) && !shm_folder_make(&shm)) {
		place->on_memory = 1;
		error = place_try(map, out, folder, h, place);
		if (!error)
			vprof_sweep(folder);
	}
	if (error) {
		place->on_memory = is_memory(out, &fs);
		error = place_try(map, out, NULL, h, place);
	}
	return error;
}

/* ---- the whole ---- */

/* Absolute path of the output folder, which exists afterwards. */
static int out_folder(struct vprof_text *path)
{
	char here[PATH_TEXT];

	if (vprof_config.out[0] != '/') {
		if (!getcwd(here, sizeof(here)))
			return -errno;
		vprof_text_put(path, here);
		vprof_text_put(path, "/");
	}
	vprof_text_put(path, vprof_config.out);
	while (path->length > 1 && path->text[path->length - 1] == '/')
		path->text[--path->length] = 0;
	return path->cut ? -ENAMETOOLONG : folder_make(path->text);
}

static void map_point(struct vprof_map *map, const struct vprof_ring_header *h, int on_memory)
{
	uint8_t *start = (uint8_t *)map->header;

	map->control = (void *)(start + VPROF_CONTROL_OFFSET);
	map->live = (void *)(start + VPROF_LIVE_OFFSET);
	map->anchors = (void *)(start + VPROF_CLOCK_OFFSET);
	map->lanes = (void *)(start + h->lanes_offset);
	map->lane_count = h->lane_count;
	map->chunk_count = h->chunk_count;
	map->defs = start + h->defs_offset;
	map->defs_size = h->defs_size;
	map->holdings = (void *)(start + h->holdings_offset);
	map->holding_count = h->holding_count;
	map->chunks = (void *)(start + h->chunks_offset);
	map->on_memory = on_memory;
}

static void map_fill(struct vprof_map *map, struct vprof_ring_header *h, const struct place *place)
{
	struct vprof_text link = VPROF_TEXT(h->link);

	map_point(map, h, place->on_memory);
	vprof_text_put(&link, place->link);
	h->start_ticks = vprof_ticks();
	*map->header = *h; /* magic is still 0 */
	map->control->groups = (uint32_t)vprof_config.trace;
	map->live->state = VPROF_RING_RUNNING;
	map->live->defs_used = sizeof(struct vprof_def);
	vprof_ring_title(map);
	vprof_ring_anchor(map);
	/* Pairs with the readers' check: a file without the magic is not yet a ring. */
	__atomic_store_n(&map->header->magic, VPROF_RING_MAGIC, __ATOMIC_RELEASE);
}

static char out[PATH_TEXT];
static struct place place;

const char *vprof_out_folder(void)
{
	return out;
}

const char *vprof_ring_entry(void)
{
	return place.link[0] ? place.link : place.file;
}

void vprof_ring_unmake(struct vprof_map *map)
{
	if (place.link[0])
		unlink(place.link);
	unlink(place.file);
	unmap_file(map);
}

int vprof_ring_create(struct vprof_map *map)
{
	static struct vprof_ring_header h; /* too large for a small thread's stack; one caller */
	struct vprof_text path = VPROF_TEXT(out);
	int64_t size = vprof_ring_size();
	int error = size < 0 ? (int)size : 0;

	memset(&h, 0, sizeof(h));
	memset(&place, 0, sizeof(place));
	if (!error)
		error = out_folder(&path);
	if (!error) {
		vprof_header_fill(&h);
		vprof_ring_lay_out(&h, (uint64_t)size);
		error = file_place(map, out, &h, &place);
	}
	if (error) {
		vprof_log("not recorded: no ring in %s: %s", out[0] ? out : vprof_config.out, vprof_strerror(-error));
		return error;
	}
	map_fill(map, &h, &place);
	if (vprof_config.out[0] != '/')
		vprof_environ_pin(out);
	return 0;
}
