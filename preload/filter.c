/*
 * filter.c - who is recorded: patterns on the names of processes and threads.
 *
 * A process is judged when its ring would be made: by its name, and by any part of its command line,
 * which is its title where the program sets one ("VLLM::EngineCore"). A thread is judged when it would
 * take a lane, by its name; and again after 1, 2, 4, … calls, since threads are named after they
 * start. Patterns are those of glob.h, with commas between.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include "preload/config.h"
#include "preload/filter.h"
#include "preload/glob.h"

enum { LONGEST_PAUSE = 1024 };

__thread struct vprof_passed vprof_passed TLS_INITIAL_EXEC;

/* An empty list is as good as none. */
static int takes_all(const char *list)
{
	return !list[0] || (list[0] == '*' && !list[1]);
}

/* Does one of the patterns fit a part of the text? */
static int fits_within(const char *list, const char *text)
{
	char whole[sizeof(vprof_config.procs) + 2];
	size_t length;

	for (;; list += length + 1) {
		length = strcspn(list, ",");
		if (length) {
			whole[0] = '*';
			memcpy(whole + 1, list, length);
			whole[length + 1] = '*';
			if (vprof_glob(whole, whole + length + 2, text, text + strlen(text)))
				return 1;
		}
		if (!list[length])
			return 0;
	}
}

int vprof_process_is_chosen(void)
{
	static char command[16384]; /* of the one thread */
	char comm[17]; /* the newline too */

	if (takes_all(vprof_config.procs))
		return 1;
	vprof_process_names(comm, sizeof(comm), command, sizeof(command));
	return vprof_glob_list(vprof_config.procs, comm, strlen(comm)) || fits_within(vprof_config.procs, command);
}

int vprof_thread_is_chosen(void)
{
	char name[16] = { 0 };
	int saved = errno;

	if (likely(takes_all(vprof_config.threads)))
		return 1;
	prctl(PR_GET_NAME, name);
	errno = saved;
	if (vprof_glob_list(vprof_config.threads, name, strnlen(name, sizeof(name)))) {
		vprof_passed.life = 0;
		return 1;
	}
	if (vprof_passed.life != vprof_is_alive())
		vprof_passed.pause = 0;
	else
		vprof_passed.pause = vprof_passed.pause ? vprof_passed.pause * 2 : 1;
	if (vprof_passed.pause > LONGEST_PAUSE)
		vprof_passed.pause = LONGEST_PAUSE;
	vprof_passed.life = vprof_is_alive();
	vprof_passed.calls = vprof_passed.pause;
	return 0;
}
