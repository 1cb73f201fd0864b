# setup.mk - `make setup [TARGET...]`: installs packages, then makes the other targets.
#
# Which sets of setup/packages.tsv: all that build and check need, unless every other target
# named is one of those that need less.
SETUP_REST  := $(filter-out setup,$(MAKECMDGOALS))
SETUP_SMALL := all demo install
SETUP_SETS  := build $(if $(SETUP_REST),$(if $(filter-out $(SETUP_SMALL),$(SETUP_REST)),check),check) \
	$(filter bench,$(SETUP_REST))

setup: ## install what the other targets on the line need (alone: what check needs), with apt-get
	@VENV='$(VENV)' setup/install.sh $(SETUP_SETS)

ifneq ($(SETUP_REST),)
$(SETUP_REST): setup-rest ;
setup-rest: setup
	@$(MAKE) --no-print-directory $(if $(findstring j,$(MAKEFLAGS)),,-j$(shell nproc)) $(SETUP_REST)
endif

VENV ?= build/venv
.PHONY: setup setup-rest $(SETUP_REST)
