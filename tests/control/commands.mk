# Programs for the tests of vprof start, stop, mark and ps.
LOOPER_PROGRAMS := $(BUILD)/control/looper
TEST_NEEDS      += $(LOOPER_PROGRAMS) $(BUILD)/fakecuda/libcuda.so.1

$(LOOPER_PROGRAMS): $(BUILD)/control/%: tests/control/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

bench: $(LOOPER_PROGRAMS)
