/*
 * demangle.h - kernel names for people.
 */
#ifndef VPROF_TOOLS_DEMANGLE_H
#define VPROF_TOOLS_DEMANGLE_H

/*
 * The whole name as C++ or Rust has it, with return type, template arguments
 * and parameters, as the torch profiler prints it; a copy of `name` where it is
 * not mangled. The caller frees it; NULL without memory.
 */
char *demangle_full(const char *name);

/*
 * The same without return type, template arguments, parameters and anonymous
 * namespaces: "at::native::vectorized_elementwise_kernel".
 */
char *demangle_short(const char *name);

#endif
