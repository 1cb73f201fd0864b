// throw_library.cc - a library that throws what its caller catches.
#include <stdexcept>
#include <string>

struct cleanup {
	int *count;
	~cleanup() { ++*count; }
};

extern "C" void throw_deep(int depth, int *unwound, void (*call)(int))
{
	cleanup guard{unwound};

	if (depth)
		throw_deep(depth - 1, unwound, call);
	else if (call)
		call(depth);
	else
		throw std::runtime_error("thrown in a library " + std::to_string(*unwound));
}
