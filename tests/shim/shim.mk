# The shim over a driver with nothing behind it, and its table.
SHIM_TESTS := $(BUILD)/tests/shim/libcuda.so.1 $(BUILD)/tests/shim/doors $(BUILD)/tests/shim/nodriver
SHIM_TESTS += $(BUILD)/tests/shim/objects $(BUILD)/tests/shim/groups $(BUILD)/tests/shim/recent
SHIM_TABLE := $(BUILD)/tests/shim_table.t

$(BUILD)/tests/shim/libcuda.so.1: tests/shim/libcuda.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) -Wno-missing-prototypes $(CFLAGS) -fPIC -shared -Wl,-Bsymbolic -Wl,-soname,libcuda.so.1 -MF $@.d $< -o $@

$(BUILD)/tests/shim/doors: tests/shim/doors.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -ldl -o $@

# Runs on the fake driver.
$(BUILD)/tests/shim/objects: tests/shim/objects.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -ldl -lpthread -o $@

$(BUILD)/tests/shim/groups $(BUILD)/tests/shim/recent: $(BUILD)/tests/shim/%: tests/shim/%.c $(BUILD)/fakecuda/libcuda.so
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -L$(BUILD)/fakecuda -lcuda -lpthread -o $@

# A driver that has every function, and the program that asks for each.
$(BUILD)/tests/shim/all/libcuda.so.1: tests/shim/driver_all.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -Wl,-Bsymbolic -Wl,-soname,libcuda.so.1 -MF $@.d $< -o $@

$(BUILD)/tests/shim/walk: tests/shim/walk.c preload/elf.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d tests/shim/walk.c preload/elf.c -ldl -o $@

SHIM_TESTS += $(BUILD)/tests/shim/all/libcuda.so.1 $(BUILD)/tests/shim/walk
bench: $(BUILD)/tests/shim/all/libcuda.so.1 $(BUILD)/tests/shim/walk

# Linked against a driver that is not there when it runs.
$(BUILD)/tests/shim/nodriver: tests/shim/nodriver.c $(BUILD)/libvprof.so
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< $(BUILD)/libvprof.so -ldl -o $@

$(SHIM_TABLE): tests/shim/table.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@

TESTS      += $(SHIM_TABLE)
TEST_NEEDS += $(SHIM_TESTS) $(SHIM_TABLE)
