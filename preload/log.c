/*
 * log.c - one line on stderr for each real problem.
 *
 * Formats by itself (%s %d %u) into a buffer on the stack and writes it with one
 * write(): stdio could allocate, lock or flush the program's own output. Called with signals
 * blocked and cancellation off (start.c). A line that stderr does not take at once is dropped: a
 * pipe that nobody empties must not hold the program up.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/libc.h"

struct line {
	char text[2048];
	size_t length;
};

static void put(struct line *line, const char *text)
{
	size_t length = strlen(text), room = sizeof(line->text) - 1 - line->length;

	if (length > room)
		length = room;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void put_number(struct line *line, uint64_t n)
{
	char digits[21], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	put(line, p);
}

static void put_value(struct line *line, char conversion, va_list *args)
{
	int d;

	switch (conversion) {
	case 's':
		put(line, va_arg(*args, const char *));
		break;
	case 'd':
		d = va_arg(*args, int);
		if (d < 0)
			put(line, "-");
		put_number(line, d < 0 ? -(uint64_t)d : (uint64_t)d);
		break;
	case 'u':
		put_number(line, va_arg(*args, unsigned));
		break;
	}
}

/* A write may raise SIGPIPE, or SIGXFSZ, that the program has not asked for: taken back. */
static void line_write(const struct line *line)
{
	struct pollfd out = { STDERR_FILENO, POLLOUT, 0 };
	const struct timespec now = { 0, 0 };
	uint64_t before = 0, raised = 1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1);

	syscall(SYS_rt_sigpending, &before, sizeof(before));
	raised &= ~before;
	if (poll(&out, 1, 0) <= 0 || write(STDERR_FILENO, line->text, line->length) >= 0)
		return;
	if (raised && (errno == EPIPE || errno == EFBIG))
		syscall(SYS_rt_sigtimedwait, &raised, NULL, &now, sizeof(raised));
}

void vprof_log(const char *format, ...)
{
	struct line line = { .length = 0 };
	int saved = errno;
	va_list args;

	if (vprof_config.quiet)
		return;
	put(&line, "vprof: pid ");
	put_number(&line, (uint64_t)getpid());
	put(&line, ": ");
	va_start(args, format);
	for (; *format; format++) {
		char one[2] = { *format, 0 };

		if (*format == '%')
			put_value(&line, *++format, &args);
		else
			put(&line, one);
	}
	va_end(args);
	line.text[line.length++] = '\n';
	line_write(&line);
	errno = saved;
}
