// throws.cc - exceptions across libraries, threads and driver calls.
//
//	throws LIBRARY
//
// Prints what it caught and how many frames were unwound; with a driver, from within a host
// function's caller as well. The output must not depend on the preload.
#include <cstdio>
#include <dlfcn.h>
#include <exception>
#include <future>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

typedef void throw_fn(int depth, int *unwound, void (*call)(int));
typedef int init_fn(unsigned);

static throw_fn *throw_deep;
static init_fn *init;

static void throw_int(int n)
{
	if (init)
		init(0);
	throw n + 42;
}

static std::string once(int depth)
{
	int unwound = 0;

	try {
		throw_deep(depth, &unwound, nullptr);
	} catch (const std::exception &e) {
		return std::string(e.what()) + ", unwound " + std::to_string(unwound);
	}
	return "nothing thrown";
}

static std::string through()
{
	int unwound = 0;

	try {
		throw_deep(20, &unwound, throw_int);
	} catch (int n) {
		return "int " + std::to_string(n) + ", unwound " + std::to_string(unwound);
	}
	return "nothing thrown";
}

static void *cancelled(void *unwound)
{
	struct at_end {
		int *n;
		~at_end() { ++*n; }
	} guard{static_cast<int *>(unwound)};

	pthread_exit(nullptr); // unwinds as an exception does
}

int main(int argc, char **argv)
{
	void *library = dlopen(argc > 1 ? argv[1] : "libthrow.so", RTLD_NOW | RTLD_LOCAL);
	void *driver = dlopen("libcuda.so.1", RTLD_NOW);
	std::vector<std::future<std::string>> results;
	pthread_t thread;
	int unwound = 0;

	if (!library)
		return 99;
	throw_deep = reinterpret_cast<throw_fn *>(dlsym(library, "throw_deep"));
	init = driver ? reinterpret_cast<init_fn *>(dlsym(driver, "cuInit")) : nullptr;
	printf("%s\n%s\n", once(0).c_str(), once(500).c_str());
	printf("%s\n", through().c_str());
	for (int i = 0; i < 8; i++)
		results.push_back(std::async(std::launch::async, [i] {
			std::string all;
			for (int k = 0; k < 200; k++)
				all = once(i) + "; " + through();
			return all;
		}));
	for (auto &result : results)
		printf("%s\n", result.get().c_str());
	try {
		std::async(std::launch::async, [] { throw_int(1); }).get();
	} catch (int n) {
		printf("from another thread: %d\n", n);
	}
	pthread_create(&thread, nullptr, cancelled, &unwound);
	pthread_join(thread, nullptr);
	printf("pthread_exit unwound %d\n", unwound);
	dlclose(library);
	std::set_terminate([] { printf("terminated\n"); fflush(stdout); _exit(3); });
	throw 1;
}
