/*
 * sink.h - where an output goes: standard output, a file, compressed or not.
 *
 * A regular file is written beside its place as FILE.part and renamed at the end,
 * so what stood there before stays until the new one is whole, and stays for
 * good when anything fails. Devices and pipes are written as they are.
 *
 * COMPRESSION is done a block at a time by sink_pack(), which several threads may
 * call at once, each with a struct sink_pack of its own; sink_put() then writes the
 * packed blocks in the order in which it is called, by one thread at a time. A
 * .gz is one gzip member (blocks end in a deflate sync flush and start afresh, their
 * checksums are combined); a .zst is one frame a block.
 */
#ifndef VPROF_TOOLS_SINK_H
#define VPROF_TOOLS_SINK_H

#include <stddef.h>
#include <stdint.h>

enum sink_form {
	SINK_PLAIN,
	SINK_GZIP,
	SINK_ZSTD,
};

struct sink {
	int fd;
	enum sink_form form;
	char *path, *part;     /* NULL: standard output; part NULL: no rename at the end */
	uint64_t written;      /* bytes given to the system */
	uint32_t crc, size;    /* of the gzip trailer */
};

struct sink_pack {
	const void *data;      /* to write: the block itself, or `packed` */
	size_t size;
	uint32_t crc;          /* of the block */
	size_t plain_size;
	void *packed;
	size_t room;
	void *state;           /* z_stream or ZSTD_CCtx */
};

/*
 * By that word, or, where it is NULL, by the end of the name. 0; -EINVAL: no such form; -ENOTSUP: the name ends as
 * those of files that are compressed in a way that we do not write.
 */
int sink_choose_form(enum sink_form *form, const char *path, const char *word);

/*
 * `path` NULL or "-": standard output. 0 or a negative errno with a sentence in `why`
 * that names the path.
 */
int sink_open(struct sink *sink, const char *path, enum sink_form form, char *why, size_t why_size);

int sink_pack(struct sink *sink, struct sink_pack *pack, const void *data, size_t size);
int sink_put(struct sink *sink, const struct sink_pack *pack);
void sink_pack_free(struct sink *sink, struct sink_pack *pack);

/* Ends the file and puts it in its place. On failure it is as sink_abort(). */
int sink_close(struct sink *sink);
/* Removes what was written. */
void sink_abort(struct sink *sink);

/* For messages: "standard output" or the path. */
const char *sink_name(const struct sink *sink);

#endif
