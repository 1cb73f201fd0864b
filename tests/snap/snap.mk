# Copies of rings, the watch and the trigger.
SNAP_PROGRAMS := $(BUILD)/snap/loop $(BUILD)/snap/copy_check
TEST_NEEDS    += $(SNAP_PROGRAMS)

$(BUILD)/snap/loop: tests/snap/loop.c
$(BUILD)/snap/copy_check: tests/snap/copy_check.c $(READER_SRC) tools/clock.c
$(SNAP_PROGRAMS):
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $(filter %.c,$^) -o $@ $(LDFLAGS) -ldl -lpthread -lzstd
