/*
 * compiler.h - the compiler's attributes under short names.
 */
#ifndef VPROF_PRELOAD_COMPILER_H
#define VPROF_PRELOAD_COMPILER_H

#define HIDDEN           __attribute__((visibility("hidden")))
#define EXPORT           __attribute__((visibility("default")))
#define COLD             __attribute__((cold, noinline))
#define ALWAYS_INLINE    inline __attribute__((always_inline))
#define TLS_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
/*
 * What the constructor and the destructor run and write, in every process that has the library: in pages
 * that the loader has to read or write anyway. Code lies behind the tables of symbols, by the order in which
 * the Makefile links; data behind the slots of the PLT.
 */
#define AT_LOAD          __attribute__((section(".text.unlikely.at_load")))
#define AT_LOAD_DATA     __attribute__((section(".data")))
#define likely(x)        __builtin_expect(!!(x), 1)
#define unlikely(x)      __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))

#endif
