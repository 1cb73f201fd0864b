/*
 * identity.c - who this process is, as the ring's header and live page say it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/text.h"

/* Reads a small file whole, at most `size` - 1 bytes, and terminates it. Returns the length. */
size_t vprof_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	text[0] = 0;
	if (fd < 0)
		return 0;
	while (length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	close(fd);
	text[length] = 0;
	return length;
}

/* Arguments stand one behind the other with NULs between. */
static void read_arguments(char *text, size_t size)
{
	size_t length = vprof_read_file("/proc/self/cmdline", text, size);

	while (length && !text[length - 1])
		length--;
	for (size_t i = 0; i < length; i++)
		if (!text[i] || text[i] == '\n')
			text[i] = ' ';
}

/* Field 22 of /proc/self/stat, counted behind the command, which may hold anything. */
static uint64_t process_start(void)
{
	char text[1024], *p;
	uint64_t n = 0;

	vprof_read_file("/proc/self/stat", text, sizeof(text));
	p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	for (p = p ? p + 1 : NULL; p && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n;
}

static uint64_t mount_namespace(void)
{
	struct stat st;

	return vprof_stat("/proc/self/ns/mnt", &st, 0) ? 0 : st.st_ino;
}

void vprof_header_fill(struct vprof_ring_header *h)
{
	struct vprof_text host = VPROF_TEXT(h->host), library = VPROF_TEXT(h->library);
	struct utsname name;
	ssize_t n;

	h->byte_order = VPROF_RING_BYTE_ORDER;
	h->major = VPROF_RING_MAJOR;
	h->minor = VPROF_RING_MINOR;
	h->clock = vprof_clock;
	h->tick_hz = vprof_clock_hz();
	h->pid = (uint32_t)getpid();
	h->ppid = (uint32_t)getppid();
	h->uid = (uint32_t)geteuid();
	h->page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	h->process_start = process_start();
	h->mount_ns = mount_namespace();
	if (vprof_read_file("/proc/sys/kernel/random/boot_id", h->boot_id, sizeof(h->boot_id)) == 37)
		h->boot_id[36] = 0; /* the newline */
	if (!uname(&name))
		vprof_text_put(&host, name.nodename);
	vprof_text_put(&library, VPROF_VERSION);
	n = readlink("/proc/self/exe", h->exe, sizeof(h->exe) - 1);
	h->exe[n > 0 ? n : 0] = 0;
	read_arguments(h->command, sizeof(h->command));
}

void vprof_process_names(char *comm, size_t comm_size, char *command, size_t command_size)
{
	size_t length = vprof_read_file("/proc/self/comm", comm, comm_size);

	if (length && comm[length - 1] == '\n')
		comm[length - 1] = 0;
	read_arguments(command, command_size);
}

void vprof_ring_title(struct vprof_map *map)
{
	char text[sizeof(map->live->title)] = { 0 }, comm[sizeof(map->live->comm) + 1] = { 0 };

	vprof_process_names(comm, sizeof(comm), text, sizeof(text));
	memcpy(map->live->title, text, sizeof(text));
	memcpy(map->live->comm, comm, sizeof(map->live->comm));
	map->live->comm[sizeof(map->live->comm) - 1] = 0;
}

void vprof_ring_anchor(struct vprof_map *map)
{
	static uint32_t anchors;
	uint32_t n = __atomic_fetch_add(&anchors, 1, __ATOMIC_RELAXED);
	/* Entry 0 is the first of the process and stays. */
	struct vprof_anchor now, *slot;

	if (map->anchors[0].ticks == 0)
		n = 0;
	else
		n = 1 + n % (VPROF_ANCHORS - 1);
	slot = &map->anchors[n];
	vprof_clock_anchor(&now);
	__atomic_store_n(&slot->ticks, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slot->monotonic_ns = now.monotonic_ns;
	slot->realtime_ns = now.realtime_ns;
	slot->error_ns = now.error_ns;
	/* Pairs with the readers' acquire load: 0 means that this entry is changing. */
	__atomic_store_n(&slot->ticks, now.ticks, __ATOMIC_RELEASE);
}

/* The errors that making a ring meets; strerror() may allocate. */
const char *vprof_strerror(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ EACCES, "permission denied" },
		{ EPERM, "operation not permitted" },
		{ EROFS, "read-only file system" },
		{ ENOSPC, "no space left on device" },
		{ EDQUOT, "disk quota exceeded" },
		{ EFBIG, "the limit on file sizes is below 1 MiB" },
		{ ENOENT, "no such file or directory" },
		{ ENOTDIR, "not a directory" },
		{ EEXIST, "its name is taken" },
		{ ELOOP, "too many symbolic links" },
		{ EMFILE, "too many open files" },
		{ ENFILE, "too many open files in the system" },
		{ ENOMEM, "cannot allocate memory" },
		{ ENAMETOOLONG, "file name too long" },
		{ EINVAL, "invalid argument" },
		{ EAGAIN, "resource temporarily unavailable" },
		{ ENODEV, "files there cannot be mapped" },
		{ EIO, "input/output error" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return "unexpected error";
}
