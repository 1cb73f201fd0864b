/*
 * image.c - the size of an image, which the driver is not told: from its own headers.
 *
 *   cubin   ELF: the end of the tables or of the last section, whichever lies furthest
 *   fatbin  16 bytes: magic, version, header size, size of what follows. Programs mostly give
 *           the wrapper that leads there: magic, version, pointer
 *   PTX     text that ends with a NUL
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/handles.h"
#include "shim/image.h"

enum {
	FATBIN_MAGIC = (int)0xba55ed50,
	FATBIN_WRAPPER = 0x466243b1,
	LTOIR_MAGIC = 0x7f4e43ed,
};

static const uint64_t largest = 1ull << 36; /* what claims to be larger is no size */

struct fatbin_head {
	uint32_t magic;
	uint16_t version, header_size;
	uint64_t size;
};

struct fatbin_wrapper {
	uint32_t magic, version;
	const void *data;
	const void *more;
};

enum { MODULE_BITS = 13 };

static struct vprof_handles modules = VPROF_HANDLES_EMPTY;
static uint32_t modules_made; /* in this ring */

void vprof_modules_init(void)
{
	vprof_handles_make(&modules, MODULE_BITS);
}

void vprof_modules_forget(void)
{
	vprof_handles_void(&modules);
	__atomic_store_n(&modules_made, 0, __ATOMIC_RELAXED);
}

static uint32_t magic_of(const void *bytes)
{
	uint32_t magic;

	memcpy(&magic, bytes, sizeof(magic));
	return magic;
}

/* Blanks, then a directive or a comment. */
static int is_ptx(const uint8_t *text, size_t room)
{
	while (room && (*text == ' ' || (*text >= '\t' && *text <= '\r'))) {
		text++;
		room--;
	}
	return room && (*text == '.' || *text == '/');
}

enum vprof_image vprof_image_kind(const uint8_t head[VPROF_IMAGE_HEAD])
{
	switch (magic_of(head)) {
	case (uint32_t)FATBIN_MAGIC:
	case FATBIN_WRAPPER:
		return VPROF_IMAGE_FATBIN;
	case LTOIR_MAGIC:
		return VPROF_IMAGE_LTOIR;
	}
	if (!memcmp(head, ELFMAG, SELFMAG))
		return VPROF_IMAGE_CUBIN;
	return is_ptx(head, VPROF_IMAGE_HEAD) ? VPROF_IMAGE_PTX : VPROF_IMAGE_UNKNOWN;
}

static void reach(uint64_t *end, uint64_t offset, uint64_t size)
{
	if (offset < largest && size < largest && offset + size > *end)
		*end = offset + size;
}

/* A count that the header has no room for stands in the first section, which is none. */
static uint64_t section_count(const Elf64_Ehdr *elf, const Elf64_Shdr *first)
{
	if (elf->e_shnum || !elf->e_shoff || first->sh_type != SHT_NULL)
		return elf->e_shnum;
	return first->sh_size < largest / sizeof(*first) ? first->sh_size : 0;
}

static uint64_t cubin_size(const uint8_t *bytes)
{
	const Elf64_Ehdr *elf = (const void *)bytes;
	const Elf64_Shdr *sections;
	uint64_t end = sizeof(*elf), count;

	if (elf->e_ident[EI_CLASS] != ELFCLASS64)
		return 0;
	reach(&end, elf->e_shoff, (uint64_t)elf->e_shnum * elf->e_shentsize);
	reach(&end, elf->e_phoff, (uint64_t)elf->e_phnum * elf->e_phentsize);
	if (elf->e_shentsize != sizeof(Elf64_Shdr) || elf->e_shoff >= largest || elf->e_shoff % 8)
		return end;
	sections = (const void *)(bytes + elf->e_shoff);
	count = section_count(elf, sections);
	reach(&end, elf->e_shoff, count * sizeof(*sections));
	for (uint64_t i = 0; i < count; i++)
		if (sections[i].sh_type != SHT_NOBITS && sections[i].sh_type != SHT_NULL)
			reach(&end, sections[i].sh_offset, sections[i].sh_size);
	return end;
}

static uint64_t fatbin_size(const void *bytes)
{
	const struct fatbin_head *head = bytes;

	return head->magic == (uint32_t)FATBIN_MAGIC && head->size < largest ? head->header_size + head->size : 0;
}

/* Memory that a string may be shorter than is not looked at behind its NUL. */
static enum vprof_image kind_in_memory(const void *image)
{
	uint8_t head[VPROF_IMAGE_HEAD] = { 0 };

	for (unsigned i = 0; i < sizeof(head); i++) {
		head[i] = ((const uint8_t *)image)[i];
		if (!head[i] && i < 4)
			break;
	}
	return vprof_image_kind(head);
}

struct vprof_image_bytes vprof_image_find(const void *image)
{
	struct vprof_image_bytes found = { image, 0, VPROF_IMAGE_UNKNOWN };

	if (!image)
		return found;
	found.kind = kind_in_memory(image);
	if (found.kind == VPROF_IMAGE_FATBIN && magic_of(image) == FATBIN_WRAPPER)
		found.bytes = ((const struct fatbin_wrapper *)image)->data;
	switch (found.kind) {
	case VPROF_IMAGE_CUBIN:
		found.size = cubin_size(found.bytes);
		break;
	case VPROF_IMAGE_FATBIN:
		found.size = found.bytes ? fatbin_size(found.bytes) : 0;
		break;
	case VPROF_IMAGE_PTX:
		found.size = strlen(found.bytes);
		break;
	default:
		break;
	}
	return found;
}

/* ---- files ---- */

/* A file's bytes as private memory, NULL when there are none; a file that shrinks leaves zeroes behind. */
static void *file_map(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t done = 0;
	off_t end;
	uint8_t *bytes = MAP_FAILED;

	if (fd < 0)
		return NULL;
	end = lseek(fd, 0, SEEK_END);
	if (end > 0 && (uint64_t)end < largest)
		bytes = mmap(NULL, (size_t)end, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (bytes != MAP_FAILED && done < (uint64_t)end) {
		ssize_t n = pread(fd, bytes + done, (size_t)end - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	close(fd);
	*size = end > 0 ? (uint64_t)end : 0;
	return bytes == MAP_FAILED ? NULL : bytes;
}

/* The kind and size of a file; no bytes. */
static struct vprof_image_bytes file_find(const char *path)
{
	struct vprof_image_bytes found = { NULL, 0, VPROF_IMAGE_UNKNOWN };
	uint8_t head[VPROF_IMAGE_HEAD] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	off_t end;

	if (fd < 0)
		return found;
	if (pread(fd, head, sizeof(head), 0) > 0)
		found.kind = vprof_image_kind(head);
	end = lseek(fd, 0, SEEK_END);
	found.size = end > 0 ? (uint64_t)end : 0;
	close(fd);
	return found;
}

/* ---- modules ---- */

uint64_t vprof_module_ticks(const void *handle)
{
	struct vprof_handle *entry = vprof_handle_entry(&modules, handle);
	uint64_t word = entry ? __atomic_load_n(&entry->word, __ATOMIC_RELAXED) : 0;
	const struct vprof_def_module *def = (const void *)vprof_definition(vprof_handle_id(&modules, word));

	return def && def->head.type == VPROF_DEF_MODULE ? def->ticks : 0;
}

/* The handle stands for this load from now on. */
static void module_remember(const void *handle, uint32_t id)
{
	uint64_t generation = __atomic_load_n(&modules.generation, __ATOMIC_RELAXED);
	struct vprof_handle *entry = id ? vprof_handle_entry(&modules, handle) : NULL;

	if (entry)
		__atomic_store_n(&entry->word, generation << 32 | id, __ATOMIC_RELAXED);
}

static void save(uint32_t module, struct vprof_image_bytes image)
{
	static const char *const suffixes[] = {
		[VPROF_IMAGE_UNKNOWN] = ".bin",
		[VPROF_IMAGE_CUBIN] = ".cubin",
		[VPROF_IMAGE_FATBIN] = ".fatbin",
		[VPROF_IMAGE_PTX] = ".ptx",
		[VPROF_IMAGE_LTOIR] = ".ltoir",
	};
	struct vprof_def_saved def = { .head.type = VPROF_DEF_SAVED, .module = module, .size = image.size };
	struct vprof_saved saved;

	if (!image.size) {
		vprof_lose(VPROF_LOSS_SAVED);
		return;
	}
	if (vprof_save(image.bytes, image.size, suffixes[image.kind], &saved))
		return;
	def.hash = saved.hash;
	vprof_define_sparing(&def, sizeof(def), saved.name);
}

static void save_file(uint32_t module, const char *path, struct vprof_image_bytes image)
{
	void *bytes = file_map(path, &image.size);

	image.bytes = bytes;
	if (!bytes)
		image.size = 0;
	save(module, image);
	if (bytes)
		munmap(bytes, image.size);
}

static uint64_t module_loaded(const void *handle, const void *memory, const char *file)
{
	struct vprof_image_bytes image = file ? file_find(file) : vprof_image_find(memory);
	struct vprof_def_module def = {
		.head.type = VPROF_DEF_MODULE,
		.handle = (uintptr_t)handle,
		.ticks = vprof_ticks(),
		.size = image.size,
		.image = image.kind,
		.number = __atomic_add_fetch(&modules_made, 1, __ATOMIC_RELAXED),
	};
	uint32_t id = vprof_define_sparing(&def, sizeof(def), file ? file : "");

	module_remember(handle, id);
	if (id && vprof_saves_modules()) {
		if (file)
			save_file(id, file, image);
		else
			save(id, image);
	}
	return image.size;
}

/* A thread that has been cancelled would end in our first open(). */
uint64_t vprof_module_loaded(const void *handle, const void *image, const char *file)
{
	int saved = errno, cancel, unused;
	uint64_t size;

	if (!vprof_has_ring())
		return 0;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	size = module_loaded(handle, image, file);
	pthread_setcancelstate(cancel, &unused);
	errno = saved;
	return size;
}
