TEST_NEEDS += $(BUILD)/tests/forge

$(BUILD)/tests/forge: tests/merge/forge.c include/vprof/ring.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) $< -o $@
