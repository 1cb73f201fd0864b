/*
 * doors.c - the three ways to the driver, and what is recorded of a call.
 *
 * Runs with libvprof.so preloaded over the driver of tests/shim/libcuda.c (doors.t). The
 * records are read back from the ring file of this process while it runs.
 *
 *	doors          with recording
 *	doors off      with VPROF_ENABLE=0: nothing is exchanged
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "shim/cuda_abi.h"
#include "tests/shim/seen.h"
#include "tests/tap.h"
#include "vprof/ring.h"

static void *driver;
static struct seen *seen;

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
			 void **);
typedef int (*gate1_fn)(const char *, void **, int, uint64_t);
typedef int (*gate2_fn)(const char *, void **, int, uint64_t, int *);

/* ---- reading our own ring ---- */

static const uint8_t *ring;

static const struct vprof_ring_header *head(void)
{
	return (const void *)ring;
}

static void ring_map(void)
{
	const char *folder = getenv("VPROF_OUT");
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && !ring && (entry = readdir(dir))) {
		char path[4096];
		int fd;

		if (entry->d_name[0] == '.' || !strstr(entry->d_name, ".ring"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		fd = open(path, O_RDONLY);
		ring = mmap(NULL, (size_t)lseek(fd, 0, SEEK_END), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
	if (!ring || ring == MAP_FAILED) {
		printf("Bail out! no ring in %s\n", folder);
		exit(1);
	}
}

/* The latest record. */
static const struct vprof_slot *last(void)
{
	const struct vprof_slot *found = NULL;
	static const struct vprof_slot none;

	for (uint32_t c = 0; c < head()->chunk_count; c++) {
		const struct vprof_chunk *chunk = (const void *)(ring + head()->chunks_offset + (uint64_t)c * VPROF_CHUNK_SIZE);

		for (uint32_t i = 1; chunk->head.base && i < VPROF_CHUNK_SLOTS; i++)
			if (chunk->slot[i - 1].seq == chunk->head.base + i &&
			    (!found || chunk->slot[i - 1].t0 >= found->t0))
				found = &chunk->slot[i - 1];
	}
	return found ? found : &none;
}

static uint64_t records(void)
{
	uint64_t n = 0;

	for (uint32_t c = 0; c < head()->chunk_count; c++) {
		const struct vprof_chunk *chunk = (const void *)(ring + head()->chunks_offset + (uint64_t)c * VPROF_CHUNK_SIZE);

		for (uint32_t i = 1; chunk->head.base && i < VPROF_CHUNK_SLOTS; i++)
			n += chunk->slot[i - 1].seq == chunk->head.base + i;
	}
	return n;
}

static const struct vprof_def *definition(uint32_t id)
{
	return (const void *)(ring + head()->defs_offset + (uint64_t)id * 8);
}

static const char *object_name(uint32_t id)
{
	if (!id || definition(id)->type != VPROF_DEF_KERNEL)
		return "";
	return ((const struct vprof_def_kernel *)definition(id))->name;
}

static const char *call_name(uint32_t call)
{
	for (uint64_t at = 8; at < head()->defs_size;) {
		const struct vprof_def *def = (const void *)(ring + head()->defs_offset + at);

		if (!def->size)
			break;
		if (def->type == VPROF_DEF_CALL && ((const struct vprof_def_call *)def)->call == call)
			return ((const struct vprof_def_call *)def)->name;
		at += def->size;
	}
	return "?";
}

/* ---- who owns an address ---- */

static int is_ours(const void *address)
{
	Dl_info info;

	return address && dladdr(address, &info) && strstr(info.dli_fname, "libvprof.so");
}

static int is_drivers(const void *address)
{
	Dl_info info;

	return address && dladdr(address, &info) && strstr(info.dli_fname, "libcuda.so");
}

static void *find(const char *name)
{
	return dlsym(driver, name);
}

/* ---- tests ---- */

static void test_dlsym(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);

	ok(is_ours(find("cuLaunchKernel")), "dlsym of a hooked function gives the wrapper");
	ok(find("cuLaunchKernel") == find("cuLaunchKernel"), "always the same one");
	ok(is_drivers(find("cuNotInTheTable")), "dlsym of another function of the driver gives the driver's");
	ok(!find("cuNoSuchFunction"), "dlsym of an unknown function gives NULL");
	ok(dlerror() != NULL, "and leaves a message in dlerror()");
	ok(!dlsym(libc, "cuLaunchKernel"), "another library has no driver function");
	ok(is_drivers(find("seen")), "what only looks like any other name is left alone");
}

static void test_gates(void)
{
	gate1_fn gate1 = (gate1_fn)find("cuGetProcAddress");
	gate2_fn gate2 = (gate2_fn)find("cuGetProcAddress_v2");
	void *(*looks_up)(gate1_fn) = (void *(*)(gate1_fn))find("driver_looks_up");
	void *entry = NULL, *other = NULL;
	int status = 7;

	ok(is_ours((void *)gate1) && is_ours((void *)gate2), "both gates are ours");
	ok(!gate1("cuLaunchKernel", &entry, 11030, 0) && entry == find("cuLaunchKernel"), "v1 gives the wrapper");
	ok(!gate2("cuLaunchKernel", &entry, 12000, 0, &status) && entry == find("cuLaunchKernel") && !status,
	   "v2 gives the wrapper and the status");
	ok(!gate2("cuLaunchKernel", &entry, 12000, 0, NULL) && is_ours(entry), "without a status too");
	ok(!gate2("cuLaunchKernel", &entry, 12000, 2, NULL) && entry == find("cuLaunchKernel_ptsz"),
	   "the flag for per-thread streams gives that wrapper");
	gate2("cuMemcpyBatchAsync", &entry, 12080, 0, NULL);
	gate2("cuMemcpyBatchAsync", &other, 13000, 0, NULL);
	ok(entry == find("cuMemcpyBatchAsync") && other == find("cuMemcpyBatchAsync_v2"), "versions are told apart");
	gate2("cuGetProcAddress", &entry, 11030, 0, NULL);
	gate2("cuGetProcAddress", &other, 12000, 0, NULL);
	ok(entry == (void *)gate1 && other == (void *)gate2, "asked for itself, it gives the gates");
	ok(!gate2("cuNotInTheTable", &entry, 12000, 0, NULL) && is_drivers(entry), "a function without a row is left alone");
	ok(!gate2("cuElsewhere", &entry, 12000, 0, NULL) && !is_ours(entry), "so is one outside of the driver");
	ok(!gate2("", &entry, 0, 0, &status) && !entry && status == 1, "an unknown name: as the driver has it");
	ok(gate1("", &entry, 0, 0) == 500 && !entry, "from v1 too");
	ok(gate2("cuLaunchKernel", NULL, 12000, 0, NULL) == 1, "no place for the answer: the driver's error");
	ok(gate2(NULL, &entry, 12000, 0, NULL) == 1, "no name: the driver's error");
	ok(is_drivers(looks_up(gate1)), "what the driver itself looks up is left alone");
}

static void test_alias(void)
{
	gate2_fn gate2 = (gate2_fn)find("cuGetProcAddress_v2");
	int (*instantiate)(void **, void *, unsigned long long) = NULL;
	void *exec = NULL;

	gate2("cuGraphInstantiate", (void **)&instantiate, 11000, 0, NULL);
	ok(is_drivers((void *)instantiate), "an unexported function older than its row is left alone");
	gate2("cuGraphInstantiate", (void **)&instantiate, 12000, 0, NULL);
	ok(is_ours((void *)instantiate), "a function that no name exports has a wrapper too");
	seen->handle = (void *)0x7000;
	ok(!instantiate(&exec, (void *)0x11, 4) && exec == (void *)0x7000, "which calls it");
	ok(!strcmp(seen->name, "instantiate_unexported"), "it and not its namesake");
	ok(last()->kind == VPROF_KIND_GRAPH && last()->graph.exec == 0x7000, "the record has the executable graph");
	ok(!strcmp(call_name(last()->call), "cuGraphInstantiate"), "under the name that was asked for");
}

static void test_arguments(void)
{
	launch_fn launch = (launch_fn)find("cuLaunchKernel");
	int (*batch)(int, long, void *, char, uint64_t, short, size_t, int *, void *) =
		(int (*)(int, long, void *, char, uint64_t, short, size_t, int *, void *))find("cuMemcpyBatchAsync");
	const uintptr_t want[] = { 0x1000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	seen->result = 0;
	launch((void *)0x1000, 1, 2, 3, 4, 5, 6, 7, (void *)8, (void **)9, (void **)10);
	ok(!memcmp(seen->args, want, sizeof(want)), "all eleven arguments of a launch arrive");
	batch(1, 2, (void *)3, 4, 5, 6, 7, (int *)8, (void *)9);
	ok((int)seen->args[0] == 1 && seen->args[1] == 2 && seen->args[2] == 3 && (char)seen->args[3] == 4 &&
		   seen->args[4] == 5 && (short)seen->args[5] == 6 && seen->args[6] == 7 && seen->args[7] == 8 &&
		   seen->args[8] == 9,
	   "all nine arguments of a PLAIN function arrive");
	ok(last()->kind == VPROF_KIND_CALL && last()->call_args.args[1] == 2 && last()->call_args.args[2] == 3,
	   "its record has the first four");
	seen->result = 719;
	seen->errno_left = 42;
	errno = 5;
	ok(launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL) == 719, "the driver's result is returned");
	ok(errno == 42, "errno is as the driver left it");
	ok(VPROF_DONE_RESULT(last()->done) == 719, "the record has the result");
	seen->result = 0;
	seen->errno_left = 0;
	errno = 5;
	launch((void *)0x4440, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(errno == 5, "errno is kept when a name has to be asked for");
}

static void test_launch_record(void)
{
	launch_fn launch = (launch_fn)find("cuLaunchKernel"), per_thread = (launch_fn)find("cuLaunchKernel_ptsz");
	int (*launch_ex)(const CUlaunchConfig *, void *, void **, void **) =
		(int (*)(const CUlaunchConfig *, void *, void **, void **))find("cuLaunchKernelEx");
	CUlaunchAttribute attributes[] = {
		{ .id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, .value.clusterDim = { 2, 1, 1 } },
		{ .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
		  .value.programmaticStreamSerializationAllowed = 1 },
	};
	CUlaunchConfig config = { 11, 12, 13, 14, 15, 16, 17, (CUstream)18, attributes, 2 };
	const struct vprof_slot *r;

	launch((void *)0x1000, 21, 22, 23, 24, 25, 26, 27, (void *)28, NULL, (void **)1);
	r = last();
	ok(r->kind == VPROF_KIND_LAUNCH && !strcmp(call_name(r->call), "cuLaunchKernel"), "a launch is recorded");
	ok(r->launch.grid[0] == 21 && r->launch.grid[1] == 22 && r->launch.grid[2] == 23, "with its grid");
	ok(r->launch.block[0] == 24 && r->launch.block[1] == 25 && r->launch.block[2] == 26, "its block");
	ok(r->launch.shared == 27 && r->launch.stream == 28, "shared memory and stream");
	ok(r->launch.flags == VPROF_LAUNCH_EXTRA, "arguments by way of extra are marked");
	ok(r->done >= 1 << 16, "it is done");
	launch((void *)0x1000, 1, 1, 1, 70000, 1, 65536, 0, NULL, NULL, NULL);
	ok(last()->launch.block[0] == 65535 && last()->launch.block[2] == 65535, "an impossible block is cut off");
	per_thread((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(last()->launch.flags == VPROF_LAUNCH_PER_THREAD, "a _ptsz launch is marked");
	launch_ex(&config, (void *)0x1000, NULL, NULL);
	r = last();
	ok(r->launch.grid[2] == 13 && r->launch.block[0] == 14 && r->launch.shared == 17 && r->launch.stream == 18,
	   "cuLaunchKernelEx: shape and stream out of its configuration");
	ok(r->launch.flags == (VPROF_LAUNCH_CLUSTER | VPROF_LAUNCH_PROGRAMMATIC), "and its attributes");
	ok(!launch_ex(NULL, (void *)0x1000, NULL, NULL), "no configuration: the driver decides");
	config.attrs = NULL;
	ok(!launch_ex(&config, (void *)0x1000, NULL, NULL), "no attributes in spite of their number: likewise");
}

static void test_names(void)
{
	launch_fn launch = (launch_fn)find("cuLaunchKernel");
	int (*get_function)(void **, void *, const char *) = (int (*)(void **, void *, const char *))find("cuModuleGetFunction");
	int (*get_kernel)(void **, void *, const char *) = (int (*)(void **, void *, const char *))find("cuLibraryGetKernel");
	int (*unload)(void *) = (int (*)(void *))find("cuModuleUnload");
	void *f = NULL;
	uint32_t id;
	int asked;

	seen->handle = (void *)0x20000;
	get_function(&f, (void *)0x99, "first");
	ok(f == (void *)0x20000 && last()->kind == VPROF_KIND_MODULE, "a lookup is recorded");
	ok(!strcmp(object_name(last()->object), "first") && last()->module.handle == 0x20000 && last()->module.from == 0x99,
	   "with what it found");
	asked = seen->func_names;
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	id = last()->object;
	ok(!strcmp(object_name(id), "first") && seen->func_names == asked, "a launch has that name, the driver is not asked");

	seen->name_of = "first";
	unload((void *)0x99);
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(seen->func_names == asked + 1 && last()->object == id, "after an unload it is asked, and the same name keeps its id");
	seen->name_of = "second";
	unload((void *)0x99);
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(!strcmp(object_name(last()->object), "second"), "another name gets a new one");
	ok(seen->capture_mode == 0, "the thread's capture mode is as before");
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL); /* among those launched of late from now on */
	get_function(&f, (void *)0x98, "third");
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(!strcmp(object_name(last()->object), "third"), "a lookup that gives a used handle names it anew");

	seen->handle = (void *)0x30000;
	get_kernel(&f, (void *)0x97, "library_kernel");
	unload((void *)0x98);
	asked = seen->kernel_names;
	seen->name_of = "library_kernel";
	launch(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(seen->kernel_names == asked + 1, "a CUkernel is asked for its name as one");

	seen->name_of = "never_looked_up";
	launch((void *)0x40000, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(!strcmp(object_name(last()->object), "never_looked_up"), "a function that was never looked up has a name");
	seen->only_kernel = (void *)0x50000;
	seen->name_of = "unseen_kernel";
	launch((void *)0x50000, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(!strcmp(object_name(last()->object), "unseen_kernel"), "so has a CUkernel");
	launch(NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ok(last()->object == 0, "no function: no name");
}

static void test_graphs(void)
{
	int (*instantiate)(void **, void *, unsigned long long) =
		(int (*)(void **, void *, unsigned long long))find("cuGraphInstantiateWithFlags");
	int (*launch)(void *, void *) = (int (*)(void *, void *))find("cuGraphLaunch");
	int (*destroy)(void *) = (int (*)(void *))find("cuGraphExecDestroy");
	const struct vprof_def_graph *graph;
	void *exec = NULL;
	uint32_t id;

	seen->handle = (void *)0x8000;
	instantiate(&exec, (void *)0x55, 8);
	id = last()->object;
	graph = (const void *)definition(id);
	ok(id && graph->head.type == VPROF_DEF_GRAPH && graph->exec == 0x8000 && graph->graph == 0x55 && graph->flags == 8,
	   "an instantiated graph is defined");
	launch(exec, (void *)0x66);
	ok(last()->kind == VPROF_KIND_GRAPH_LAUNCH && last()->object == id && last()->graph_launch.exec == 0x8000 &&
		   last()->graph_launch.stream == 0x66,
	   "its launch refers to it");
	destroy(exec);
	ok(last()->object == id, "its destruction too");
	instantiate(&exec, (void *)0x56, 0);
	launch(exec, NULL);
	ok(last()->object != id, "the same handle again is another graph");
	ok(((const struct vprof_def_graph *)(const void *)definition(last()->object))->number == graph->number + 1,
	   "numbered on");
	seen->result = 1;
	exec = NULL;
	instantiate(&exec, (void *)0x57, 0);
	ok(!exec && last()->object == 0, "a failed instantiation defines nothing");
	seen->result = 0;
}

static void test_memory(void)
{
	int (*alloc)(unsigned long long *, size_t) = (int (*)(unsigned long long *, size_t))find("cuMemAlloc_v2");
	unsigned long long p = 0;

	alloc(&p, 4096);
	ok(p == 0xdead000 && last()->kind == VPROF_KIND_MEMORY && last()->memory.address == p && last()->memory.bytes == 4096,
	   "an allocation has its address");
	seen->result = 2;
	ok(alloc(NULL, 1) == 2 && last()->memory.address == 0, "a failed one has none");
	seen->result = 0;
}

static void test_off(void)
{
	gate2_fn gate2 = (gate2_fn)find("cuGetProcAddress_v2");
	void *entry = NULL;

	ok(is_drivers(find("cuLaunchKernel")) && is_drivers((void *)gate2), "switched off, dlsym gives the driver's");
	ok(!gate2("cuLaunchKernel", &entry, 12000, 0, NULL) && is_drivers(entry), "so does cuGetProcAddress");
}

int main(int argc, char **argv)
{
	launch_fn launch;
	uint64_t before;

	driver = dlopen("libcuda.so.1", RTLD_NOW);
	if (!driver) {
		printf("Bail out! %s\n", dlerror());
		return 1;
	}
	seen = dlsym(driver, "seen");
	seen->name_of = "kernel";
	if (argc > 1 && !strcmp(argv[1], "off")) {
		test_off();
		return done_testing();
	}
	launch = (launch_fn)find("cuLaunchKernel");
	launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	ring_map();
	test_dlsym();
	before = records();
	test_gates();
	ok(records() == before, "lookups are not recorded");
	test_alias();
	test_arguments();
	test_launch_record();
	test_names();
	test_graphs();
	test_memory();
	return done_testing();
}
