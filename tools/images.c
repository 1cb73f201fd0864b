/*
 * images.c - finds and unpacks cubins and PTX texts in files.
 *
 * A fatbin is a header of 16 bytes and entries one behind the other. In programs and
 * libraries the section .nv_fatbin (relocatable code: __nv_relfatbin) holds one after
 * the other, each beginning at a multiple of 8.
 */
#include "tools/images.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <lz4.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define FATBIN_MAGIC 0xba55ed50u
enum {
	FATBIN_HEADER = 16, ENTRY_LEAST = 64,
	ENTRY_PTX = 1, ENTRY_CUBIN = 2,
	FLAG_LZ4 = 0x2000, FLAG_ZSTD = 0x8000,
	MACHINE_CUDA = 190,
	IMAGE_MOST = 256 << 20,
};

struct source {
	int fd;
	uint64_t size;
	uint32_t number;       /* of images so far */
	int (*see)(void *context, const struct image *image);
	void *context;
	char *why;
	size_t why_size;
};

struct entry {
	uint32_t kind, header, packed, sm;
	uint64_t payload, flags, size;
};

__attribute__((format(printf, 2, 3)))
static int refuse(const struct source *source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(source->why, source->why_size, format, args);
	va_end(args);
	return -EINVAL;
}

/* Bytes read; fewer than asked for where the file ends or cannot be read. */
static size_t read_at(const struct source *source, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(source->fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

static uint64_t number(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

static int read_entry(const struct source *source, uint64_t at, uint64_t end, struct entry *entry)
{
	uint8_t head[ENTRY_LEAST];

	if (end - at < sizeof(head) || read_at(source, head, sizeof(head), at) < sizeof(head))
		return -EINVAL;
	entry->kind = (uint32_t)number(head, 2);
	entry->header = (uint32_t)number(head + 4, 4);
	entry->payload = number(head + 8, 8);
	entry->packed = (uint32_t)number(head + 16, 4);
	entry->sm = (uint32_t)number(head + 28, 4);
	entry->flags = number(head + 40, 8);
	entry->size = number(head + 56, 8);
	if (entry->header < sizeof(head) || entry->header > end - at || entry->payload > end - at - entry->header)
		return -EINVAL;
	return 0;
}

/* The content of an image, from `size` bytes of `packed`; NULL and a reason when it cannot be had. */
static void *unpack(const struct entry *entry, const void *packed, size_t size, const char **why)
{
	void *bytes = malloc(entry->size + 1);
	size_t got;

	if (!bytes) {
		*why = "no memory";
		return NULL;
	}
	if (entry->flags & FLAG_ZSTD) {
		got = ZSTD_decompress(bytes, entry->size, packed, size);
	} else {
		int code = LZ4_decompress_safe(packed, bytes, (int)size, (int)entry->size);

		got = code < 0 ? SIZE_MAX : (size_t)code;
	}
	if (got == entry->size)
		return bytes;
	free(bytes);
	*why = "its packed content is damaged";
	return NULL;
}

static void *load_entry(const struct source *source, const struct entry *entry, uint64_t at, const char **why)
{
	int packed = (entry->flags & (FLAG_ZSTD | FLAG_LZ4)) != 0;
	uint64_t size = packed ? entry->packed : entry->payload;
	void *raw, *bytes;

	if (size > entry->payload || size > IMAGE_MOST || (packed && entry->size > IMAGE_MOST)) {
		*why = "its sizes contradict each other, or it is larger than 256 MiB";
		return NULL;
	}
	raw = malloc(size + 1);
	if (!raw || read_at(source, raw, size, at + entry->header) < size) {
		*why = raw ? "it cannot be read" : "no memory";
		free(raw);
		return NULL;
	}
	if (!packed)
		return raw;
	bytes = unpack(entry, raw, size, why);
	free(raw);
	return bytes;
}

static int see_entry(struct source *source, const struct entry *entry, uint64_t at)
{
	int packed = (entry->flags & (FLAG_ZSTD | FLAG_LZ4)) != 0, result;
	struct image image = {
		.kind = entry->kind == ENTRY_CUBIN ? IMAGE_CUBIN : entry->kind == ENTRY_PTX ? IMAGE_PTX : IMAGE_OTHER,
		.number = ++source->number, .sm = entry->sm,
		.packing = !packed ? "none" : entry->flags & FLAG_ZSTD ? "zstd" : "LZ4",
		.packed = entry->payload, .size = packed ? entry->size : entry->payload,
	};

	if (image.kind == IMAGE_CUBIN)
		image.bytes = load_entry(source, entry, at, &image.why);
	result = source->see(source->context, &image);
	free(image.bytes);
	return result;
}

/* The fatbin at `at`, which ends by `end`; *past: where it ends. */
static int see_fatbin(struct source *source, uint64_t at, uint64_t end, uint64_t *past)
{
	uint8_t head[FATBIN_HEADER];
	uint64_t header, size;
	struct entry entry;
	int result = 0;

	if (end - at < sizeof(head) || read_at(source, head, sizeof(head), at) < sizeof(head))
		return refuse(source, "has a fatbin that is cut short");
	header = number(head + 6, 2);
	size = number(head + 8, 8);
	if (header < sizeof(head) || header > end - at || size > end - at - header)
		return refuse(source, "has a fatbin that is cut short");
	*past = at + header + size;
	for (at += header; at < *past && !result; at += entry.header + entry.payload) {
		if (read_entry(source, at, *past, &entry))
			return refuse(source, "has a fatbin whose entry %u is damaged", source->number + 1);
		result = see_entry(source, &entry, at);
	}
	return result;
}

/* All fatbins of a section. */
static int see_section(struct source *source, uint64_t at, uint64_t size)
{
	uint64_t end = at + size;
	uint32_t magic;
	int result = 0;

	if (at > source->size || size > source->size - at)
		return refuse(source, "is cut short: its GPU code is beyond its end");
	while (end - at >= FATBIN_HEADER && !result) {
		if (read_at(source, &magic, sizeof(magic), at) < sizeof(magic))
			break;
		if (magic == FATBIN_MAGIC)
			result = see_fatbin(source, at, end, &at);
		else
			at += 8;
		at = (at + 7) & ~7ull;
		if (at > end)
			break;
	}
	return result;
}

/* Is this the section's name? Looked up here, since libelf would unpack names of any size. */
static int is_named(const Elf_Data *names, uint64_t at, const char *name)
{
	size_t size = strlen(name) + 1;

	return names && names->d_buf && at < names->d_size && names->d_size - at >= size &&
	       !memcmp((const char *)names->d_buf + at, name, size);
}

static int see_program_sections(struct source *source, Elf *elf)
{
	Elf_Scn *section = NULL;
	Elf_Data *names;
	size_t index;
	int result = 0, found = 0;

	if (elf_getshdrstrndx(elf, &index))
		return refuse(source, "is a damaged ELF file");
	section = elf_getscn(elf, index);
	names = section ? elf_rawdata(section, NULL) : NULL;
	section = NULL;
	while (!result && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
		    (!is_named(names, header.sh_name, ".nv_fatbin") &&
		     !is_named(names, header.sh_name, "__nv_relfatbin")))
			continue;
		found = 1;
		result = see_section(source, header.sh_offset, header.sh_size);
	}
	if (!result && !found)
		return refuse(source, "is an ELF file without GPU code");
	return result;
}

static int see_program(struct source *source)
{
	Elf *elf;
	int result;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return refuse(source, "cannot be read: this libelf is too old");
	elf = elf_begin(source->fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		result = refuse(source, "is a damaged ELF file");
	else
		result = see_program_sections(source, elf);
	if (elf)
		elf_end(elf);
	return result;
}

/* The whole file as one image. */
static int see_cubin(struct source *source)
{
	struct image image = { .kind = IMAGE_CUBIN, .number = 1, .packing = "none", .packed = source->size,
			       .size = source->size };
	int result;

	if (source->size > IMAGE_MOST)
		return refuse(source, "is larger than 256 MiB");
	image.bytes = malloc(source->size);
	if (!image.bytes)
		return refuse(source, "no memory");
	if (read_at(source, image.bytes, source->size, 0) < source->size)
		result = refuse(source, "cannot be read to its end");
	else
		result = source->see(source->context, &image);
	free(image.bytes);
	return result;
}

static int is_ptx(const char *head, size_t size)
{
	static const char directive[] = ".version";

	return size && !memchr(head, 0, size) && memmem(head, size, directive, strlen(directive));
}

static int see_file(struct source *source)
{
	uint8_t head[1024] = { 0 };
	size_t got = read_at(source, head, sizeof(head), 0);
	uint64_t past;

	if (got >= 20 && !memcmp(head, ELFMAG, SELFMAG))
		return number(head + 18, 2) == MACHINE_CUDA ? see_cubin(source) : see_program(source);
	if (got >= 4 && number(head, 4) == FATBIN_MAGIC)
		return see_fatbin(source, 0, source->size, &past);
	if (is_ptx((const char *)head, got))
		return refuse(source, "is PTX text: it becomes a cubin when it is compiled");
	return refuse(source, got ? "is neither a cubin nor a fatbin" : "is empty");
}

int images_each(const char *path, int (*see)(void *context, const struct image *image), void *context,
		char *why, size_t why_size)
{
	struct source source = { .see = see, .context = context, .why = why, .why_size = why_size };
	struct stat st;
	int result;

	source.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source.fd < 0 || fstat(source.fd, &st)) {
		result = refuse(&source, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		result = refuse(&source, "is no regular file");
	} else {
		source.size = (uint64_t)st.st_size;
		result = see_file(&source);
	}
	if (source.fd >= 0)
		close(source.fd);
	return result;
}
