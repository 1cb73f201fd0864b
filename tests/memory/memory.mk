# What the library and the readers make of memory that a program takes and gives back.
HOLDER := $(BUILD)/memory/holder

$(HOLDER): tests/memory/holder.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl

TEST_NEEDS += $(HOLDER)
