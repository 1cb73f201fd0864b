# Programs for the tests of vprof start, stop, mark and ps.
CONTROL_PROGRAMS := $(BUILD)/control/looper
TEST_NEEDS       += $(CONTROL_PROGRAMS) $(BUILD)/fakecuda/libcuda.so.1

$(CONTROL_PROGRAMS): $(BUILD)/control/%: tests/control/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread
