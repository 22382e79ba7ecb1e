# SPDX-License-Identifier: Apache-2.0
# Makefile -- builds, checks and runs Sluice. One file, no recursion into folders; `make help` lists
# the targets. Where a target calls $(MAKE), it does so because packages installed by `deps` change
# what pkg-config answers, which is asked when this file is read.

CLANG ?= clang
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
FUZZ_SECONDS ?= 30
SPECS ?= spec
comma := ,

# gcc builds, clang runs the sanitizers: its one runtime writes all findings to one place (log_path),
# where the specs look for them; gcc's two lose what the second finds in a daemon.
ifeq ($(origin CC),default)
CC := $(if $(SANITIZE),$(CLANG),gcc)
endif

# Sanitizer builds live beside the plain one, so switching between them rebuilds nothing.
ifeq ($(SANITIZE),)
BUILD ?= build
else
BUILD ?= build/$(subst $(comma),-,$(SANITIZE))
endif

# V=1 shows whole commands.
ifeq ($(V),)
quiet = @echo '  $(1) $(patsubst $(CURDIR)/%,%,$@)';
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ------------------------------------------------------------------------------------- sources

embedded_sql := $(sort $(shell find migrations plugins-c -name '*.sql' 2>/dev/null))
generated := $(BUILD)/gen/migrations_data.c
main_source := runtime/process/main.c
sources := $(sort $(shell find runtime admin pdk -name '*.c' 2>/dev/null))
library_sources := $(filter-out $(main_source),$(sources))
library_objects := $(library_sources:%.c=$(BUILD)/obj/%.o) $(generated:%.c=%.o)
main_object := $(main_source:%.c=$(BUILD)/obj/%.o)

# A plugin is plugins-c/<name>.c, or all of plugins-c/<name>/ once it needs two files.
plugin_files := $(sort $(wildcard plugins-c/*.c))
plugin_folders := $(sort $(patsubst %/,%,$(dir $(wildcard plugins-c/*/*.c))))
plugins := $(plugin_files:plugins-c/%.c=$(BUILD)/plugins/%.so) \
           $(plugin_folders:plugins-c/%=$(BUILD)/plugins/%.so)

unit_sources := $(sort $(shell find spec/unit -name '*_test.c' 2>/dev/null))
unit_tests := $(unit_sources:spec/unit/%.c=$(BUILD)/unit/%)
# Whatever else lies in spec/unit is support code that every test of its folder may use.
unit_support := $(filter-out $(unit_sources),$(sort $(shell find spec/unit -name '*.c' 2>/dev/null)))
unit_support_objects := $(unit_support:%.c=$(BUILD)/obj/%.o)
$(unit_support_objects): includes += -Ispec/unit
fuzz_sources := $(sort $(wildcard spec/fuzz/*_fuzz.c))
fuzz_targets := $(fuzz_sources:spec/fuzz/%.c=$(BUILD)/fuzz/%)

# --------------------------------------------------------------------------------------- flags

packages := luajit libevent libevent_openssl libevent_pthreads libpq jansson openssl sqlite3 \
            libpcre2-8 yaml-0.1 libcares hiredis zlib
# -isystem: the warnings below are promises about our code, not about the libraries' headers.
package_cflags := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(packages) 2>/dev/null))
package_libs := $(shell pkg-config --libs $(packages) 2>/dev/null) -lpthread -ldl -lm

warnings := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wpointer-arith \
            -Wcast-qual -Wwrite-strings
standard := -std=gnu11 -D_GNU_SOURCE
includes := -Iruntime -Ipdk -I. $(package_cflags)

ifeq ($(SANITIZE),)
harden := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
harden_link := -Wl,-z,relro,-z,now
else
harden := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
harden_link := -fsanitize=$(SANITIZE)
endif

CFLAGS ?=
LDFLAGS ?=
compile := $(CC) $(standard) $(warnings) $(harden) $(CFLAGS)
# The uninstalled gateway finds its plugins and Lua modules in this checkout.
checkout_paths := -DSLUICE_LIBDIR='"$(abspath $(BUILD))"' -DSLUICE_DATADIR='"$(CURDIR)"'
install_paths := -DSLUICE_LIBDIR='"$(PREFIX)/lib/sluice"' -DSLUICE_DATADIR='"$(PREFIX)/share/sluice"'

# --------------------------------------------------------------------------------------- build

.PHONY: all
all: $(BUILD)/sluice $(plugins) ## build the gateway and the plugins (default)

$(BUILD)/sluice: $(main_object) $(BUILD)/libsluice.a
	$(call quiet,LINK)$(CC) -pie $(harden_link) $(LDFLAGS) -o $@ $^ $(package_libs)

$(BUILD)/libsluice.a: $(library_objects)
	@rm -f $@
	$(call quiet,AR  )ar rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,CC  )$(compile) -fPIE $(includes) $(checkout_paths) -MMD -MP -c -o $@ $<

$(generated): migrations/embed.sh $(embedded_sql)
	@mkdir -p $(@D)
	$(call quiet,GEN )sh migrations/embed.sh $@ $(embedded_sql)

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/.flags
	$(call quiet,CC  )$(compile) -fPIE $(includes) -MMD -MP -c -o $@ $<

# A plugin sees pdk.h and its own folder, nothing else.
plugin_link = $(compile) -fPIC -shared -fvisibility=hidden -Ipdk $(harden_link) -o $@ $(filter %.c,$^)

$(BUILD)/plugins/%.so: plugins-c/%.c pdk/pdk.h $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,CC  )$(plugin_link)

.SECONDEXPANSION:
$(plugin_folders:plugins-c/%=$(BUILD)/plugins/%.so): $(BUILD)/plugins/%.so: \
		$$(wildcard plugins-c/%/*.[ch]) pdk/pdk.h $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,CC  )$(plugin_link)

# Changes only when the compiler or its flags do, and then everything is built again.
flags_text := $(compile) $(includes) $(checkout_paths)
$(BUILD)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags_text))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(flags_text))' > $@

.PHONY: FORCE
FORCE:

# ---------------------------------------------------------------------------------------- test

.PHONY: unit-tests
unit-tests: $(unit_tests) ## build the unit tests only

$(BUILD)/libsupport.a: $(unit_support_objects)
	@rm -f $@
	$(call quiet,AR  )ar rcs $@ $^

$(BUILD)/unit/%: spec/unit/%.c $(BUILD)/libsupport.a $(BUILD)/libsluice.a $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,CC  )$(compile) -fPIE -pie $(includes) -Ispec/unit -MMD -MP -MF $@.d -MT $@ -o $@ $< \
	    $(BUILD)/libsupport.a $(BUILD)/libsluice.a $(LDFLAGS) $(package_libs) -lcmocka

.PHONY: check
check: all unit-tests ## unit tests and specs of one build (SANITIZE=address,undefined or thread; SPECS=path)
	scripts/check $(BUILD) $(SPECS)

.PHONY: test
test: deps-test ## install what is missing, build, then unit tests, specs and integration tests
	+$(MAKE) --no-print-directory check

.PHONY: fuzz-targets
fuzz-targets: $(fuzz_targets)

.PHONY: fuzz
fuzz: fuzz-targets ## run every fuzz target for FUZZ_SECONDS (needs clang)
	scripts/fuzz $(BUILD) $(FUZZ_SECONDS)

# The fuzzer steers by coverage, so what it covers is compiled once more, with clang.
fuzz_compile := $(CLANG) $(standard) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_objects := $(library_sources:%.c=$(BUILD)/fuzz/obj/%.o)

$(BUILD)/fuzz/obj/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,FUZZ)$(fuzz_compile) -fsanitize=fuzzer-no-link $(includes) $(checkout_paths) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libsluice.a: $(fuzz_objects)
	@rm -f $@
	$(call quiet,AR  )ar rcs $@ $^

$(BUILD)/fuzz/%: spec/fuzz/%.c $(BUILD)/fuzz/libsluice.a $(generated)
	@mkdir -p $(@D)
	$(call quiet,FUZZ)$(fuzz_compile) -fsanitize=fuzzer $(includes) -o $@ $^ $(package_libs)

# ---------------------------------------------------------------------------------------- lint

.PHONY: lint
lint: deps-lint ## formatting, static checks, warnings of two compilers, layout
	+$(MAKE) --no-print-directory lint-all

.PHONY: lint-all
lint-all: $(generated) $(library_objects) $(main_object)
	CFLAGS_CHECK='$(subst ','\'',$(standard) $(includes) -Ispec/unit $(checkout_paths))' \
	WARNINGS='$(warnings)' GCC='$(CC)' CLANG='$(CLANG)' scripts/lint $(BUILD)

.PHONY: fmt
fmt: ## format every C file
	clang-format -i $(shell find runtime admin pdk plugins-c spec examples -name '*.[ch]')

# ----------------------------------------------------------------------------------- run, install

.PHONY: run
run: deps-run ## start the gateway with SQLite and the three sample services; Ctrl-C stops everything
	+$(MAKE) --no-print-directory all
	scripts/run $(BUILD)

.PHONY: deps deps-run deps-test deps-lint
deps: deps-run deps-test deps-lint ## install the missing Debian packages (sudo when not root)
deps-run deps-test deps-lint: deps-%:
	@scripts/deps $*

# Only the sources that know the installation paths are compiled again, into a place of their own:
# `make install` leaves the gateway of the checkout alone.
located_sources := $(shell grep -lE 'SLUICE_(LIB|DATA)DIR' $(sources) /dev/null 2>/dev/null)
install_build := $(BUILD)/install$(PREFIX)
located_objects := $(located_sources:%.c=$(install_build)/%.o)

$(install_build)/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call quiet,CC  )$(compile) -fPIE $(includes) $(install_paths) -MMD -MP -c -o $@ $<

# The located objects come first, so the archive's own members of that name are not drawn in.
$(install_build)/sluice: $(main_object) $(located_objects) $(BUILD)/libsluice.a
	$(call quiet,LINK)$(CC) -pie $(harden_link) $(LDFLAGS) -o $@ \
	    $(filter-out $(if $(filter $(main_source),$(located_sources)),$(main_object)),$^) \
	    $(package_libs)

.PHONY: install
install: all $(install_build)/sluice ## install below PREFIX=/usr/local (DESTDIR= is honoured)
	scripts/install $(BUILD) $(install_build)/sluice '$(DESTDIR)' '$(PREFIX)'
	@rm -rf $(install_build)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(BUILD)/obj $(BUILD)/gen $(BUILD)/unit $(BUILD)/install* $(BUILD)/fuzz -name '*.d' 2>/dev/null)
