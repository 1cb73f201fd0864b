/*
 * fake_cupti.c - a libcupti whose activities are those of a file.
 *
 * FAKE_CUPTI names the file: a line an activity, "KIND NAME-OR-BYTES STREAM GRAPH NODE START END" with blanks
 * between, KIND being kernel, copy, peer or set, and of a kernel its grid and block behind that, six numbers
 * which are 0 where they are not there. They are laid out in a buffer as CUPTI 12 and
 * 13 do, and handed over at the first flush that is forced.
 * FAKE_CUPTI_FAIL names a function that fails; FAKE_CUPTI_DROPPED says how many activities had no room.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_COPY = 1, KIND_SET = 2, KIND_CONCURRENT_KERNEL = 10, KIND_PEER_COPY = 22, KINDS = 64 };
enum { FAILED = 999, NO_MORE = 12, RECORD_SIZE = 256, FLUSH_FORCED = 1 };

static void (*request)(uint8_t **buffer, size_t *size, size_t *records);
static void (*complete)(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid);
static int enabled[KINDS], handed_over;

static int fails(const char *function)
{
	const char *named = getenv("FAKE_CUPTI_FAIL");

	return named && !strcmp(named, function) ? FAILED : 0;
}

int cuptiActivityRegisterCallbacks(void (*r)(uint8_t **, size_t *, size_t *),
				   void (*c)(void *, uint32_t, uint8_t *, size_t, size_t));
int cuptiActivityRegisterCallbacks(void (*r)(uint8_t **, size_t *, size_t *),
				   void (*c)(void *, uint32_t, uint8_t *, size_t, size_t))
{
	request = r;
	complete = c;
	return fails(__func__);
}

int cuptiActivityEnable(int kind);
int cuptiActivityEnable(int kind)
{
	enabled[kind] = 1;
	return fails(__func__);
}

/* An activity's fields at their offsets. */
struct activity {
	int kind;
	uint64_t start, end, node, bytes;
	uint32_t stream, graph;
	const char *name;
	uint32_t shape[6];
};

static void put(uint8_t *record, size_t offset, const void *value, size_t size)
{
	memcpy(record + offset, value, size);
}

static void lay_out(uint8_t *record, const struct activity *a)
{
	uint32_t device = 0, correlation = 7, kind = (uint32_t)a->kind;
	int kernel = a->kind == KIND_CONCURRENT_KERNEL, peer = a->kind == KIND_PEER_COPY;

	memset(record, 0, RECORD_SIZE);
	put(record, 0, &kind, 4);
	put(record, 16, &a->start, 8);
	put(record, 24, &a->end, 8);
	put(record, kernel ? 40 : 32, &device, 4);
	put(record, kernel ? 48 : 40, &a->stream, 4);
	put(record, kernel ? 92 : peer ? 60 : 44, &correlation, 4);
	put(record, kernel ? 144 : peer ? 72 : 64, &a->node, 8);
	put(record, kernel ? 156 : peer ? 80 : 72, &a->graph, 4);
	if (kernel) {
		put(record, 52, a->shape, sizeof(a->shape));
		put(record, 104, &a->name, 8);
	} else {
		put(record, 8, &a->bytes, 8);
	}
}

static int kind_of(const char *word)
{
	return !strcmp(word, "kernel") ? KIND_CONCURRENT_KERNEL : !strcmp(word, "copy") ? KIND_COPY :
	       !strcmp(word, "peer") ? KIND_PEER_COPY : KIND_SET;
}

static size_t read_activities(FILE *file, uint8_t *buffer, size_t size)
{
	size_t used = 0;
	char line[512], word[16], name[256];
	unsigned long long start, end, node;

	while (used + RECORD_SIZE <= size && fgets(line, sizeof(line), file)) {
		struct activity a = { 0 };

		if (sscanf(line, "%15s %255s %u %u %llu %llu %llu %u %u %u %u %u %u", word, name, &a.stream, &a.graph, &node,
			   &start, &end, &a.shape[0], &a.shape[1], &a.shape[2], &a.shape[3], &a.shape[4], &a.shape[5]) < 7)
			break;
		a.kind = kind_of(word);
		a.start = start;
		a.end = end;
		a.node = node;
		a.bytes = strtoull(name, NULL, 10);
		a.name = strdup(name);
		if (!enabled[a.kind])
			continue;
		lay_out(buffer + used, &a);
		used += RECORD_SIZE;
	}
	return used;
}

int cuptiActivityFlushAll(uint32_t flag);
int cuptiActivityFlushAll(uint32_t flag)
{
	const char *path = getenv("FAKE_CUPTI");
	FILE *file = flag == FLUSH_FORCED && !handed_over && path ? fopen(path, "r") : NULL;
	size_t size, records, used;
	uint8_t *buffer;

	if (!file)
		return 0;
	handed_over = 1;
	request(&buffer, &size, &records);
	used = read_activities(file, buffer, size);
	fclose(file);
	complete(NULL, 0, buffer, size, used);
	return 0;
}

int cuptiActivityGetNextRecord(uint8_t *buffer, size_t valid, void **record);
int cuptiActivityGetNextRecord(uint8_t *buffer, size_t valid, void **record)
{
	uint8_t *next = *record ? (uint8_t *)*record + RECORD_SIZE : buffer;

	if (next >= buffer + valid)
		return NO_MORE;
	*record = next;
	return 0;
}

int cuptiActivityGetNumDroppedRecords(void *context, uint32_t stream, size_t *dropped);
int cuptiActivityGetNumDroppedRecords(void *context, uint32_t stream, size_t *dropped)
{
	const char *text = getenv("FAKE_CUPTI_DROPPED");

	(void)context;
	(void)stream;
	*dropped = text ? strtoul(text, NULL, 10) : 0;
	return 0;
}

int cuptiGetResultString(int code, const char **text);
int cuptiGetResultString(int code, const char **text)
{
	*text = code ? "CUPTI_ERROR_UNKNOWN" : "CUPTI_SUCCESS";
	return 0;
}
