/*
 * sink.c - files: opened beside their place, renamed into it.
 *
 * A signal that ends the program removes the part file first. Two programs that
 * write the same file are kept apart by a lock on the part file.
 */
#include "tools/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/sink_pack.h"

enum { PIPE_BYTES = 1 << 20 };

/* What on_signal() is to remove; set before the handlers, cleared before the file is in place. */
static char *volatile doomed;

static void on_signal(int number)
{
	if (doomed)
		unlink(doomed);
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_signals(char *part)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	struct sigaction old, action = { .sa_handler = on_signal };

	doomed = part;
	signal(SIGXFSZ, SIG_IGN); /* a limit on file size is then an error of write() */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(numbers[i], &action, NULL);
}

static int ends_with(const char *path, const char *end)
{
	size_t size = strlen(path), length = strlen(end);

	return size > length && !strcmp(path + size - length, end);
}

static int form_by_word(enum sink_form *form, const char *word)
{
	static const struct {
		const char *word;
		enum sink_form form;
	} words[] = {
		{ "none", SINK_PLAIN }, { "gz", SINK_GZIP }, { "zst", SINK_ZSTD },
		{ "gzip", SINK_GZIP }, { "zstd", SINK_ZSTD },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].word)) {
			*form = words[i].form;
			return 0;
		}
	return -EINVAL;
}

int sink_choose_form(enum sink_form *form, const char *path, const char *word)
{
	static const char *const others[] = {
		".bz2", ".xz", ".lzma", ".lz4", ".br", ".Z", ".zip", ".7z", ".gzip", ".zstd",
	};

	if (word)
		return form_by_word(form, word);
	*form = !path ? SINK_PLAIN : ends_with(path, ".gz") ? SINK_GZIP : ends_with(path, ".zst") ? SINK_ZSTD : SINK_PLAIN;
	for (size_t i = 0; path && i < sizeof(others) / sizeof(others[0]); i++)
		if (ends_with(path, others[i]))
			return -ENOTSUP;
	return 0;
}

/* Is that still the file of this name, not one that was renamed between our open and our lock? */
static int is_named(int fd, const char *path)
{
	struct stat ours, named;

	return !fstat(fd, &ours) && !lstat(path, &named) && ours.st_ino == named.st_ino &&
	       ours.st_dev == named.st_dev;
}

/* The part file, locked and empty; `mode`: of what it replaces, 0: of nothing. */
static int open_part(struct sink *sink, mode_t mode)
{
	int fd = open(sink->part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666), error = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (!is_named(fd, sink->part))
		error = -EBUSY;
	else if (ftruncate(fd, 0) || (mode && fchmod(fd, mode)))
		error = -errno;
	if (error) {
		close(fd);
		return error;
	}
	sink->fd = fd;
	watch_signals(sink->part);
	return 0;
}

/* A new name, or a regular file, which a link may lead to: by way of a part file. */
static int open_file(struct sink *sink, const char *path)
{
	struct stat st;
	mode_t mode = 0;
	char *real;
	int error;

	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode)) {
			sink->path = strdup(path);
			sink->fd = open(path, O_WRONLY | O_CLOEXEC);
			return sink->fd < 0 ? -errno : 0;
		}
		if (access(path, W_OK))
			return -errno;
		mode = st.st_mode & 0777;
	} else if (errno != ENOENT) {
		return -errno;
	}
	real = realpath(path, NULL);
	sink->path = real ? real : strdup(path);
	if (!sink->path || asprintf(&sink->part, "%s.part", sink->path) < 0) {
		sink->part = NULL;
		return -ENOMEM;
	}
	error = open_part(sink, mode);
	if (error) {
		free(sink->part);
		sink->part = NULL;
	}
	return error;
}

int sink_open(struct sink *sink, const char *path, enum sink_form form, char *why, size_t why_size)
{
	int error = 0;

	memset(sink, 0, sizeof(*sink));
	sink->form = form;
	sink->fd = STDOUT_FILENO;
	if (path && strcmp(path, "-"))
		error = open_file(sink, path);
	if (!error && form != SINK_PLAIN && isatty(sink->fd)) {
		snprintf(why, why_size, "compressed data is not written to a terminal");
		sink_abort(sink);
		return -EINVAL;
	}
	if (error) {
		snprintf(why, why_size, error == -EBUSY ? "%s: another program is writing it" :
			 "%s: cannot be written: %s", path, strerror(-error));
		sink_abort(sink);
		return error;
	}
	fcntl(sink->fd, F_SETPIPE_SZ, PIPE_BYTES); /* fails unless a pipe, which is fine */
	error = form == SINK_GZIP ? sink_put_gzip_head(sink) : 0;
	if (error) {
		snprintf(why, why_size, "%s: %s", sink_name(sink), strerror(-error));
		sink_abort(sink);
	}
	return error;
}

int sink_write(struct sink *sink, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t done = write(sink->fd, p, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		sink->written += done;
		p += done;
		size -= done;
	}
	return 0;
}

static void sink_free(struct sink *sink)
{
	free(sink->path);
	free(sink->part);
	sink->path = sink->part = NULL;
	sink->fd = -1;
}

int sink_close(struct sink *sink)
{
	int error = sink->form == SINK_GZIP ? sink_put_gzip_tail(sink) : 0;
	/* What close() says is to be known before the rename, which is to happen under the lock. */
	int lock = sink->part ? dup(sink->fd) : -1;

	if (sink->path) {
		if (close(sink->fd) && !error)
			error = -errno;
		sink->fd = -1;
	}
	if (!error && sink->part && rename(sink->part, sink->path))
		error = -errno;
	if (error) {
		sink_abort(sink);
	} else {
		doomed = NULL;
		sink_free(sink);
	}
	if (lock >= 0)
		close(lock);
	return error;
}

void sink_abort(struct sink *sink)
{
	if (sink->part)
		unlink(sink->part);
	doomed = NULL;
	if (sink->path && sink->fd >= 0)
		close(sink->fd);
	sink_free(sink);
}

const char *sink_name(const struct sink *sink)
{
	return sink->path ? sink->path : "standard output";
}
