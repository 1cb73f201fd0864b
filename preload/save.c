/*
 * save.c - files beside the ring's entry, named by their content.
 *
 * A file is written under a name of this thread's own and then renamed, so that one that is there
 * is whole, and equal contents of all processes of a folder are one file. It is readable
 * by its owner alone. Bytes that cannot be read, a full disk, a limit on file sizes: nothing is
 * left, and the caller is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/text.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(const uint8_t *bytes, uint64_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (uint64_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

/* Does all of it lie in mapped memory? */
static int is_mapped(const void *bytes, uint64_t size)
{
	uintptr_t start = (uintptr_t)bytes & ~(uintptr_t)(VPROF_PAGE_SIZE - 1);

	return size && (uintptr_t)bytes + size > start &&
	       !msync((void *)start, (uintptr_t)bytes + size - start, MS_ASYNC);
}

static void name_put(struct vprof_text *name, uint64_t hash, const char *suffix)
{
	char digits[17];

	for (int i = 0; i < 16; i++)
		digits[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	digits[16] = 0;
	vprof_text_put(name, "module-");
	vprof_text_put(name, digits);
	vprof_text_put(name, suffix);
}

/* The same file by an earlier process or an earlier load. */
static int is_there(const char *path, uint64_t size)
{
	struct stat st;

	return !vprof_stat(path, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size &&
	       st.st_uid == geteuid();
}

static int file_write(const char *path, const char *draft, const void *bytes, uint64_t size)
{
	struct rlimit limit;
	int fd, error;

	/* Past this limit the kernel would send SIGXFSZ. */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < size)
		return -EFBIG;
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = fchmod(fd, 0600) ? -errno : vprof_pwrite(fd, bytes, size, 0);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(draft, path))
		error = -errno;
	if (error)
		unlink(draft);
	return error;
}

static int save(const void *bytes, uint64_t size, const char *suffix, struct vprof_saved *saved)
{
	char path_text[PATH_TEXT], draft_text[PATH_TEXT];
	struct vprof_text path = VPROF_TEXT(path_text), draft = VPROF_TEXT(draft_text), name = VPROF_TEXT(saved->name);

	if (!is_mapped(bytes, size))
		return -EFAULT;
	saved->hash = hash_bytes(bytes, size);
	name_put(&name, saved->hash, suffix);
	vprof_text_put(&path, vprof_out_folder());
	vprof_text_put(&path, "/");
	vprof_text_put(&path, saved->name);
	vprof_text_put(&draft, vprof_out_folder());
	vprof_text_put(&draft, "/.");
	vprof_text_put(&draft, saved->name);
	vprof_text_put(&draft, ".");
	vprof_text_number(&draft, (uint64_t)getpid());
	vprof_text_put(&draft, "-");
	vprof_text_number(&draft, (uint64_t)syscall(SYS_gettid));
	if (path.cut || draft.cut)
		return -ENAMETOOLONG;
	return is_there(path_text, size) ? 0 : file_write(path_text, draft_text, bytes, size);
}

int vprof_save(const void *bytes, uint64_t size, const char *suffix, struct vprof_saved *saved)
{
	static int said;
	int before = errno, error = -ENOENT;

	memset(saved, 0, sizeof(*saved));
	if (vprof_has_ring())
		error = save(bytes, size, suffix, saved);
	if (error) {
		vprof_lose(VPROF_LOSS_SAVED);
		if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
			vprof_log("a module could not be saved in %s: %s", vprof_out_folder(), vprof_strerror(-error));
	}
	errno = before;
	return error;
}
