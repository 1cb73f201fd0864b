/*
 * manifest.c - see the header.
 */
#include "tools/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tools/text.h"
#include "vprof/ring.h"

enum { FORMAT = 1, NAMES_TRIED = 100000 };

/* ---- the text ---- */

static void add_string(struct buffer *out, const char *text)
{
	buffer_add(out, "\"", 1);
	buffer_add_json(out, text);
	buffer_add(out, "\"", 1);
}

static void add_member(struct buffer *out, const char *key, const char *text)
{
	buffer_print(out, " \"%s\": ", key);
	add_string(out, text);
	buffer_print(out, ",\n");
}

/* `key` as a date and, with _ns behind it, as a number. */
static void add_time(struct buffer *out, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char date[64] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_print(out, " \"%s\": \"%s.%09luZ\",\n \"%s_ns\": %lu,\n", key, date, (unsigned long)(ns % 1000000000),
		     key, (unsigned long)ns);
}

static void add_command(struct buffer *out, char **command)
{
	buffer_print(out, " \"command\": [");
	for (char **word = command; *word; word++) {
		if (word != command)
			buffer_print(out, ", ");
		add_string(out, *word);
	}
	buffer_print(out, "],\n");
}

static void add_user(struct buffer *out)
{
	const struct passwd *user = getpwuid(geteuid());

	if (user)
		add_member(out, "user", user->pw_name);
	buffer_print(out, " \"uid\": %u,\n", (unsigned int)geteuid());
}

static void add_machine(struct buffer *out)
{
	struct utsname name;

	if (uname(&name))
		return;
	add_member(out, "host", name.nodename);
	add_member(out, "kernel", name.release);
	add_member(out, "machine", name.machine);
}

static void add_environment(struct buffer *out, const struct surround *surround)
{
	add_member(out, "library", surround->library);
	buffer_print(out, " \"environment\": {");
	for (size_t i = 0; i < surround->count; i++) {
		buffer_print(out, i ? ",\n  \"%s\": " : "\n  \"%s\": ", surround->pairs[i].name);
		add_string(out, surround->pairs[i].value);
	}
	buffer_print(out, "\n },\n");
}

static void add_end(struct buffer *out, const struct manifest *manifest)
{
	const char *name = WIFSIGNALED(manifest->status) ? sigabbrev_np(WTERMSIG(manifest->status)) : NULL;

	add_time(out, "end", manifest->end_ns);
	if (WIFEXITED(manifest->status))
		buffer_print(out, " \"exit_status\": %d,\n", WEXITSTATUS(manifest->status));
	else if (name)
		buffer_print(out, " \"signal\": \"SIG%s\",\n", name);
	else
		buffer_print(out, " \"signal\": \"%d\",\n", WTERMSIG(manifest->status));
}

static void add_recorded(struct buffer *out, const struct recorded *recorded)
{
	int first = 1;

	buffer_print(out, " \"recorded\": {\"processes\": %lu, \"running\": %lu, \"unreadable\": %lu, \"copies\": %lu, \"records\": %lu,"
		     " \"overwritten\": %lu, \"launches\": %lu, \"graph_launches\": %lu, \"open\": %lu,\n  \"lost\": {",
		     (unsigned long)recorded->processes, (unsigned long)recorded->running,
		     (unsigned long)recorded->unreadable, (unsigned long)recorded->copies,
		     (unsigned long)recorded->records,
		     (unsigned long)recorded->overwritten, (unsigned long)recorded->launches,
		     (unsigned long)recorded->graph_launches, (unsigned long)recorded->open);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++) {
		if (!recorded->loss[i])
			continue;
		buffer_print(out, "%s\"%s\": %lu", first ? "" : ", ", ring_loss_name((enum vprof_loss)i),
			     (unsigned long)recorded->loss[i]);
		first = 0;
	}
	buffer_print(out, "}},\n");
}

static void make_text(struct buffer *out, const struct manifest *manifest)
{
	char folder[PATH_MAX];

	buffer_print(out, "{\n \"format\": %d,\n \"vprof\": \"" VPROF_VERSION "\",\n \"ring_format\": \"%d.%d\",\n",
		     FORMAT, VPROF_RING_MAJOR, VPROF_RING_MINOR);
	add_command(out, manifest->command);
	if (getcwd(folder, sizeof(folder)))
		add_member(out, "cwd", folder);
	add_machine(out);
	add_user(out);
	buffer_print(out, " \"pid\": %d,\n", (int)manifest->pid);
	add_environment(out, manifest->surround);
	add_time(out, "start", manifest->start_ns);
	if (manifest->end_ns)
		add_end(out, manifest);
	if (manifest->recorded)
		add_recorded(out, manifest->recorded);
	buffer_print(out, " \"state\": \"%s\"\n}\n", manifest->end_ns ? "ended" : "running");
}

/* ---- the file ---- */

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const struct buffer *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, text->data, text->used);
	if (close(fd) && !error)
		error = -errno;
	return error;
}

/* 0 when the file `whole` has got the name `path`, -EEXIST when that is another's. */
static int put_where_none_is(const char *whole, const char *path)
{
	if (!link(whole, path)) {
		unlink(whole);
		return 0;
	}
	if (errno == EEXIST || !access(path, F_OK))
		return -EEXIST;
	/* A file system without links: two runs that begin at one moment would share the name. */
	return rename(whole, path) ? -errno : 0;
}

/* Under the first name that nobody has. */
static int put_new(struct manifest *manifest, const char *whole)
{
	char path[PATH_MAX], name[sizeof(manifest->name)];
	int error = -EEXIST;

	for (int i = 0; i < NAMES_TRIED && error == -EEXIST; i++) {
		snprintf(name, sizeof(name), i ? "manifest.%d.json" : "manifest.json", i);
		if (snprintf(path, sizeof(path), "%s/%s", manifest->folder, name) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		error = put_where_none_is(whole, path);
	}
	if (!error)
		memcpy(manifest->name, name, sizeof(name));
	return error;
}

static int put_again(const struct manifest *manifest, const char *whole)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", manifest->folder, manifest->name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return rename(whole, path) ? -errno : 0;
}

int manifest_write(struct manifest *manifest)
{
	struct buffer text = { 0 };
	char whole[PATH_MAX], host[65] = "";
	int error;

	gethostname(host, sizeof(host) - 1);
	if (snprintf(whole, sizeof(whole), "%s/.manifest.%s.%d", manifest->folder, host, (int)getpid()) >=
	    (int)sizeof(whole))
		return -ENAMETOOLONG;
	make_text(&text, manifest);
	error = text.error ? text.error : write_file(whole, &text);
	if (!error)
		error = *manifest->name ? put_again(manifest, whole) : put_new(manifest, whole);
	if (error)
		unlink(whole);
	buffer_free(&text);
	return error;
}
