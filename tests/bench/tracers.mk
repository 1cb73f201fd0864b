# The tracers that vprof is compared with. What is not installed is not built, and
# tracers.sh says so in place of its rows.
TRACER_FLAGS := -Wl,-rpath,'$$ORIGIN'
TRACERS := $(BUILD)/bench/tracer_uftrace
# Asked only for `make bench`: a compiler run is not for every make.
ifneq ($(filter bench,$(MAKECMDGOALS)),)
ifeq ($(shell echo '\#include <lttng/tracepoint.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes),yes)
TRACERS += $(BUILD)/bench/tracer_lttng
endif
endif

$(BUILD)/bench/libtracer_plain.so: tests/bench/tracer_launch.c tests/bench/tracer.h
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d -DTRACER_LAUNCH=tracer_plain -fPIC -shared $< -o $@

# uftrace hooks the call that -pg puts at the start of a function.
$(BUILD)/bench/libtracer_pg.so: tests/bench/tracer_launch.c tests/bench/tracer.h
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d -DTRACER_LAUNCH=tracer_traced -pg -fPIC -shared $< -o $@

$(BUILD)/bench/tracer_uftrace: tests/bench/tracer_cost.c $(BUILD)/bench/libtracer_pg.so $(BUILD)/bench/libtracer_plain.so
	$(call say,LD,$@)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $(filter %.c %.so,$^) $(TRACER_FLAGS) -lpthread -o $@

$(BUILD)/bench/tracer_lttng: tests/bench/tracer_cost.c tests/bench/tracer_lttng.c $(BUILD)/bench/libtracer_plain.so
	$(call say,LD,$@)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $(filter %.c %.so,$^) $(TRACER_FLAGS) -llttng-ust -lpthread -ldl -o $@

bench: $(TRACERS)
