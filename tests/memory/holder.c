/*
 * holder.c - takes and gives back memory as a script says, one call a line.
 *
 *	holder < SCRIPT
 *
 * A line is a word, a name for what the call makes or uses, and numbers:
 *
 *	malloc NAME BYTES | managed | pitch NAME WIDTH HEIGHT | free NAME
 *	async NAME BYTES | from NAME POOL BYTES | freeasync NAME          on a stream of its own
 *	pool NAME DEVICE | poolfree NAME
 *	pinned NAME BYTES | unpin NAME | register NAME BYTES | unregister NAME
 *	create NAME BYTES DEVICE | release NAME | import NAME FROM
 *	reserve NAME BYTES | unreserve NAME | map RANGE OFFSET HANDLE BYTES | unmap RANGE OFFSET BYTES
 *	array NAME WIDTH HEIGHT | arrayfree NAME
 *	context NAME DEVICE | use NAME | end NAME | release_primary | reset_primary
 *	capture | captured                                             of that stream
 *	again NAME                       frees it although that has been done
 *	many COUNT BYTES                 so many allocations that are never freed
 *	churn COUNT                      so many calls that have nothing to do with memory
 *	info                             prints the MiB that the device has in use
 *	pause MS | kill
 *
 * The calls of a line that begins with "!" fail, and it is an error when they do not.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "shim/cuda_abi.h"

#define FUNCTIONS(X) \
	X(cuInit, (unsigned)) X(cuCtxCreate_v2, (CUcontext *, unsigned, CUdevice)) X(cuCtxSetCurrent, (CUcontext)) \
	X(cuCtxDestroy_v2, (CUcontext)) X(cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice)) \
	X(cuDevicePrimaryCtxRelease_v2, (CUdevice)) X(cuDevicePrimaryCtxReset_v2, (CUdevice)) \
	X(cuStreamCreate, (CUstream *, unsigned)) X(cuStreamBeginCapture_v2, (CUstream, CUstreamCaptureMode)) \
	X(cuStreamEndCapture, (CUstream, CUgraph *)) X(cuMemAlloc_v2, (CUdeviceptr *, size_t)) \
	X(cuMemAllocManaged, (CUdeviceptr *, size_t, unsigned)) X(cuMemFree_v2, (CUdeviceptr)) \
	X(cuMemAllocPitch_v2, (CUdeviceptr *, size_t *, size_t, size_t, unsigned)) \
	X(cuMemAllocAsync, (CUdeviceptr *, size_t, CUstream)) X(cuMemFreeAsync, (CUdeviceptr, CUstream)) \
	X(cuMemAllocFromPoolAsync, (CUdeviceptr *, size_t, CUmemoryPool, CUstream)) \
	X(cuMemPoolCreate, (CUmemoryPool *, const CUmemPoolProps *)) X(cuMemPoolDestroy, (CUmemoryPool)) \
	X(cuMemHostAlloc, (void **, size_t, unsigned)) X(cuMemFreeHost, (void *)) \
	X(cuMemHostRegister_v2, (void *, size_t, unsigned)) X(cuMemHostUnregister, (void *)) \
	X(cuMemCreate, (CUmemGenericAllocationHandle *, size_t, const CUmemAllocationProp *, unsigned long long)) \
	X(cuMemRelease, (CUmemGenericAllocationHandle)) \
	X(cuMemExportToShareableHandle, (void *, CUmemGenericAllocationHandle, int, unsigned long long)) \
	X(cuMemImportFromShareableHandle, (CUmemGenericAllocationHandle *, void *, int)) \
	X(cuMemAddressReserve, (CUdeviceptr *, size_t, size_t, CUdeviceptr, unsigned long long)) \
	X(cuMemAddressFree, (CUdeviceptr, size_t)) X(cuMemUnmap, (CUdeviceptr, size_t)) \
	X(cuMemMap, (CUdeviceptr, size_t, size_t, CUmemGenericAllocationHandle, unsigned long long)) \
	X(cuArrayCreate_v2, (CUarray *, const CUDA_ARRAY_DESCRIPTOR_v2 *)) X(cuArrayDestroy, (CUarray)) \
	X(cuStreamSynchronize, (CUstream)) X(cuMemGetInfo_v2, (size_t *, size_t *))

static struct {
#define FIELD(name, params) CUresult (*name) params;
	FUNCTIONS(FIELD)
} cu;

static void open_driver(void)
{
	void *library = dlopen("libcuda.so.1", RTLD_NOW);

#define LOOK(name, params) cu.name = library ? (CUresult(*) params)dlsym(library, #name) : NULL;
	FUNCTIONS(LOOK)
	if (!cu.cuInit) {
		fprintf(stderr, "holder: no driver\n");
		exit(9);
	}
}

/* ---- what the script has names for ---- */

struct thing {
	char name[32];
	uint64_t value;
	size_t bytes;
};

static struct thing things[4096];
static size_t thing_count;

static struct thing *thing(const char *name)
{
	for (size_t i = 0; i < thing_count; i++)
		if (!strcmp(things[i].name, name))
			return &things[i];
	snprintf(things[thing_count].name, sizeof(things[0].name), "%s", name);
	return &things[thing_count++];
}

/* ---- the words ---- */

static CUstream stream;

struct line {
	char word[32], name[32], other[32];
	unsigned long long a, b; /* numbers behind the name; of `other`, behind that */
};

typedef CUresult action(const struct line *line, struct thing *of);

#define WORD(word) static CUresult do_##word(const struct line *line, struct thing *of)
#define P(of) ((CUdeviceptr *)&(of)->value)
#define V(of) ((void *)(uintptr_t)(of)->value)

WORD(malloc) { (void)line; return cu.cuMemAlloc_v2(P(of), line->a); }
WORD(managed) { return cu.cuMemAllocManaged(P(of), line->a, CU_MEM_ATTACH_GLOBAL); }
WORD(pitch) { size_t pitch; return cu.cuMemAllocPitch_v2(P(of), &pitch, line->a, line->b, 4); }
WORD(free) { (void)line; return cu.cuMemFree_v2(of->value); }
WORD(async) { return cu.cuMemAllocAsync(P(of), line->a, stream); }
WORD(from) { return cu.cuMemAllocFromPoolAsync(P(of), line->a, V(thing(line->other)), stream); }

WORD(freeasync) { (void)line; return cu.cuMemFreeAsync(of->value, stream); }

WORD(pool)
{
	CUmemPoolProps props = { .allocType = 1, .location = { CU_MEM_LOCATION_TYPE_DEVICE, (int)line->a } };

	return cu.cuMemPoolCreate((CUmemoryPool *)&of->value, &props);
}

WORD(poolfree) { (void)line; return cu.cuMemPoolDestroy(V(of)); }
WORD(pinned) { return cu.cuMemHostAlloc((void **)&of->value, line->a, 0); }
WORD(unpin) { (void)line; return cu.cuMemFreeHost(V(of)); }

WORD(register)
{
	of->value = (uintptr_t)mmap(NULL, line->a, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return cu.cuMemHostRegister_v2(V(of), line->a, 0);
}

WORD(unregister) { (void)line; return cu.cuMemHostUnregister(V(of)); }

WORD(create)
{
	CUmemAllocationProp prop = { .type = CU_MEM_ALLOCATION_TYPE_PINNED,
		.location = { CU_MEM_LOCATION_TYPE_DEVICE, (int)line->b } };

	return cu.cuMemCreate(P(of), line->a, &prop, 0);
}

WORD(release) { (void)line; return cu.cuMemRelease(of->value); }

WORD(import)
{
	int fd = -1;
	CUresult result = cu.cuMemExportToShareableHandle(&fd, thing(line->other)->value,
							  CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0);

	if (!result)
		result = cu.cuMemImportFromShareableHandle(P(of), (void *)(intptr_t)fd,
							   CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
	close(fd);
	return result;
}

WORD(reserve) { of->bytes = line->a; return cu.cuMemAddressReserve(P(of), line->a, 0, 0, 0); }
WORD(unreserve) { (void)line; return cu.cuMemAddressFree(of->value, of->bytes); }
WORD(map) { return cu.cuMemMap(of->value + strtoull(line->other, NULL, 0), line->b, 0, line->a, 0); }
WORD(unmap) { return cu.cuMemUnmap(of->value + line->a, line->b); }

WORD(array)
{
	CUDA_ARRAY_DESCRIPTOR_v2 d = { line->a, line->b, 0x20, 4 };

	return cu.cuArrayCreate_v2((CUarray *)&of->value, &d);
}

WORD(arrayfree) { (void)line; return cu.cuArrayDestroy(V(of)); }
WORD(context) { return cu.cuCtxCreate_v2((CUcontext *)&of->value, 0, (CUdevice)line->a); }
WORD(use) { (void)line; return cu.cuCtxSetCurrent(V(of)); }
WORD(end) { (void)line; return cu.cuCtxDestroy_v2(V(of)); }
WORD(release_primary) { (void)line; (void)of; return cu.cuDevicePrimaryCtxRelease_v2(0); }
WORD(reset_primary) { (void)line; (void)of; return cu.cuDevicePrimaryCtxReset_v2(0); }
WORD(capture) { (void)line; (void)of; return cu.cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL); }

WORD(captured)
{
	(void)line;
	return cu.cuStreamEndCapture(stream, (CUgraph *)&of->value);
}

WORD(many)
{
	unsigned long long count = strtoull(line->name, NULL, 0);
	CUresult result = CUDA_SUCCESS;
	CUdeviceptr p;

	(void)of;
	while (count-- && !result)
		result = cu.cuMemAlloc_v2(&p, line->a);
	return result;
}

WORD(churn)
{
	unsigned long long count = strtoull(line->name, NULL, 0);
	CUresult result = CUDA_SUCCESS;

	(void)of;
	while (count-- && !result)
		result = cu.cuStreamSynchronize(stream);
	return result;
}

WORD(info)
{
	size_t available = 0, total = 0;
	CUresult result = cu.cuMemGetInfo_v2(&available, &total);

	(void)line;
	(void)of;
	printf("%zu\n", (total - available) >> 20);
	return result;
}

WORD(pause) { (void)of; usleep((useconds_t)(1000 * atoi(line->name))); return CUDA_SUCCESS; }
WORD(kill) { (void)of; (void)line; raise(SIGKILL); return CUDA_SUCCESS; }

static const struct {
	const char *word;
	action *run;
	int other; /* a second name comes before the numbers */
} words[] = {
#define W(word) { #word, do_##word, 0 }
#define W2(word) { #word, do_##word, 1 }
	W(malloc), W(managed), W(pitch), W(free), W(async), W2(from), W(freeasync), W(pool), W(poolfree), W(pinned),
	W(unpin), W(register), W(unregister), W(create), W(release), W2(import), W(reserve), W(unreserve), W2(map),
	W(unmap), W(array), W(arrayfree), W(context), W(use), W(end), W(release_primary), W(reset_primary), W(capture),
	W(captured), W(many), W(churn), W(info), W(pause), W(kill), { "again", do_free, 0 },
};

static unsigned long long number(const char *text)
{
	const char *digits = strspn(text, "0123456789") ? text : NULL;

	return digits ? strtoull(text, NULL, 0) : *text ? thing(text)->value : 0;
}

static CUresult run(const struct line *line)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, line->word))
			return words[i].run(line, thing(line->name));
	fprintf(stderr, "holder: what is %s?\n", line->word);
	exit(2);
}

static int has_other(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, word))
			return words[i].other;
	return 0;
}

static void parse(struct line *line, const char *text)
{
	char field[5][32] = { { 0 } };
	int at = 2;

	sscanf(text, "%31s %31s %31s %31s %31s", field[0], field[1], field[2], field[3], field[4]);
	memset(line, 0, sizeof(*line));
	memcpy(line->word, field[0], sizeof(line->word));
	memcpy(line->name, field[1], sizeof(line->name));
	if (has_other(line->word))
		memcpy(line->other, field[at++], sizeof(line->other));
	line->a = number(field[at++]);
	line->b = number(field[at]);
}

int main(void)
{
	CUcontext ctx;
	char text[256];

	open_driver();
	if (cu.cuInit(0) || cu.cuDevicePrimaryCtxRetain(&ctx, 0) || cu.cuCtxSetCurrent(ctx) ||
	    cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING))
		return 3;
	thing("primary")->value = (uintptr_t)ctx;
	while (fgets(text, sizeof(text), stdin)) {
		int fails = text[0] == '!';
		struct line line;
		CUresult result;

		parse(&line, text + fails);
		if (!line.word[0] || line.word[0] == '#')
			continue;
		result = run(&line);
		if (!result != !fails) {
			fprintf(stderr, "holder: %d from %s", result, text);
			return 1;
		}
	}
	return 0;
}
