# Copies of rings, the watch and the trigger.
SNAP_PROGRAMS := $(BUILD)/snap/loop
TEST_NEEDS    += $(SNAP_PROGRAMS)

$(BUILD)/snap/%: tests/snap/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread
