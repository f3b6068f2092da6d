# Higgins: `make run` opens the selector, `make test` runs every test. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.NOTPARALLEL:

PREFIX ?= /usr/local
SOURCES := Package.swift Sources Tests
# Where `make run` keeps the server's data, and where that server listens.
SERVER_DATA := $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/higginsd
SERVER_PORT := 7480
# Targets with a documentation catalogue, each after those its text links to.
DOCUMENTED := $(patsubst Sources/%.docc,%,$(foreach target,\
  Wire Access Vault Sync Selector Storage Transport Terminal AttributeServer PushServer,\
  $(wildcard Sources/$(target)/$(target).docc)))

# Debian packages that building and testing need, and those the benchmark needs beside them.
PACKAGES := libncurses-dev libsodium-dev libsqlite3-dev pkg-config tmux \
  python3-argon2 python3-cryptography python3-nacl python3-pyotp
BENCH_PACKAGES := fzf git gnupg less libnginx-mod-nchan mc pass strace tig
# A browser for the chat page, and what clients of others that come from PyPI need.
CONFORMANCE_PACKAGES := chromium python3-venv
# What makes system calls fail on purpose.
CHAOS_PACKAGES := strace

# Installs what is missing of the packages named; says what is needed where it may not.
define install_packages
missing=""
for package in $(1); do
  dpkg-query --show --showformat '$${Status}\n' "$$package" 2>/dev/null \
    | grep -q '^install ok installed$$' || missing+=" $$package"
done
if [ -n "$$missing" ]; then
  if [ "$$(id -u)" = 0 ]; then as_root=(env)
  elif sudo -n true 2>/dev/null; then as_root=(sudo -n env)
  else as_root=(); fi
  if [ "$${#as_root[@]}" = 0 ] || ! command -v apt-get >/dev/null; then
    echo "higgins: needs$$missing: run apt-get install$$missing" >&2
    exit 1
  fi
  log=$$(mktemp)
  trap 'rm -f "$$log"' EXIT
  install() {
    "$${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends $$missing >>"$$log" 2>&1
  }
  echo "higgins: installing$$missing" >&2
  # The lists may be old or absent; they are fetched only if it does not work without.
  install || { "$${as_root[@]}" apt-get update >>"$$log" 2>&1 && install; } || {
    cat "$$log" >&2
    echo "higgins: needs$$missing: run apt-get install$$missing" >&2
    exit 1
  }
fi
endef

# The one that Debian's packages are for: another may stand before it in PATH.
export HIGGINS_PYTHON ?= /usr/bin/python3

# The program of the tests itself: `swift test` would plan the whole build anew before each part.
# Left alone, it writes in colour into files, too.
tests = $(if $(MAKE_TERMOUT),,NO_COLOR=1) \
  "$$(swift build --show-bin-path)/higginsPackageTests.xctest" --testing-library swift-testing

define build_documentation
swift package dump-symbol-graph --minimum-access-level internal
graphs="$$(swift build --show-bin-path)/../symbolgraph"
rm -rf .build/docs
dependencies=()
for target in $(notdir $(DOCUMENTED)); do
  mkdir -p ".build/docs/graphs/$$target"
  cp "$$graphs/$$target.symbols.json" ".build/docs/graphs/$$target"
  docc convert "Sources/$$target/$$target.docc" \
    --additional-symbol-graph-dir ".build/docs/graphs/$$target" \
    --fallback-display-name "$$target" --fallback-bundle-identifier "higgins.$$target" \
    --enable-experimental-external-link-support "$${dependencies[@]}" \
    --output-path ".build/docs/$$target.doccarchive" --warnings-as-errors
  dependencies+=(--dependency "$$PWD/.build/docs/$$target.doccarchive")
done
rm -r .build/docs/graphs
echo "Documentation: .build/docs"
endef

# Optimised, as ten thousand seeds take too long otherwise.
simulation = "$$(swift build --configuration release --show-bin-path)/higgins-simulate"

# Ten thousand seeds take whatever is left of the processors by what runs beside them, and only
# that; $(1) waits a lot. Its failure ends the seeds, too.
define beside_simulation
chrt --idle 0 $(simulation) & seeds=$$!
trap 'kill $$seeds 2>/dev/null || true' EXIT
$(1)
wait $$seeds
trap - EXIT
endef

# Tests of values, which know no time and only compute. In one process with tests of sockets they
# would hold the few threads that those are to be answered on within a second.
untimed = '^(Wire|Vault|Sync|Storage|SelectorScreen|Selector|Simulation|Tidy)Tests\.'

# All others but the hostile ones: they have bounds of time, and nothing else is at work. The
# end-to-end tests run real programs against the clock of the machine, and the terminal's send
# signals to their own process, which commands under test catch or ignore. One scans all memory of
# its process, which must not change meanwhile.
define run_timed_tests
$(tests) --filter EndToEndTests --filter TerminalTests
$(tests) --filter MemoryTests
$(tests) --filter SelectorAppTests --skip MemoryTests
$(tests) --skip $(untimed) --skip HostileTests --skip EndToEndTests --skip TerminalTests \
  --skip SelectorAppTests
endef

.PHONY: help
help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Installs the Debian packages that are missing.
	@$(call install_packages,$(PACKAGES))

.PHONY: build
build: deps ## Builds both programs for release.
	swift build --configuration release --product higgins
	swift build --configuration release --product higginsd

.PHONY: run
run: build ## Opens the selector, with a server of its own on loopback.
	@bin=$$(swift build --configuration release --show-bin-path)
	answers() {
	  timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$(SERVER_PORT) &&
	    printf "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" >&3 &&
	    head -n 1 <&3 | grep -q " 200 "' 2>/dev/null
	}
	if ! answers; then
	  mkdir -p -m 700 "$(SERVER_DATA)"
	  umask 077
	  setsid nohup "$$bin/higginsd" serve --data "$(SERVER_DATA)" \
	    --listen 127.0.0.1:$(SERVER_PORT) >>"$(SERVER_DATA)/server.log" 2>&1 </dev/null &
	  server=$$!
	  for _ in {1..100}; do
	    if answers; then break; fi
	    if ! kill -0 "$$server" 2>/dev/null; then break; fi
	    sleep 0.1
	  done
	  if ! answers; then
	    echo "higgins: the server did not start; its last words:" >&2
	    tail -n 5 "$(SERVER_DATA)/server.log" >&2
	    exit 1
	  fi
	  echo "higgins: higginsd runs in the background; \`kill $$server\` ends it" >&2
	fi
	exec "$$bin/higgins"

.PHONY: demo
demo: build ## Three selectors side by side, paired, with a server between them.
	@bash Tests/Demo/demo.sh

.PHONY: demo-script
demo-script: build ## Plays the demo by itself and saves its screens.
	@bash Tests/Demo/demo.sh --script

.PHONY: test
test: deps ## Runs every test and 10,000 seeds; FILTER=… runs the tests whose names match.
	if [ -n "$(FILTER)" ]; then swift test --disable-xctest --filter "$(FILTER)"; exit; fi
	swift build --build-tests
	swift build --configuration release --product higgins-simulate
	$(tests) --filter $(untimed)
	$(call beside_simulation,$(tests) --filter HostileTests)
	$(run_timed_tests)

.PHONY: simulate
simulate: deps ## Runs 10,000 seeds of the simulation, optimised; SEED=n replays one.
	swift run --configuration release higgins-simulate \
	  $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000))

.PHONY: soak
soak: deps ## Runs new seeds for MINUTES (default: 60).
	swift run --configuration release higgins-simulate --minutes $(or $(MINUTES),60)

.PHONY: chaos
chaos: build ## Kills, stops and starves the real programs; ARGS=--quick takes two minutes.
	@$(call install_packages,$(CHAOS_PACKAGES))
	swift run --configuration release higgins-chaos $(ARGS)

.PHONY: fuzz
fuzz: deps ## Fuzzes every parser of foreign bytes for SECONDS (default: 60); TARGETS=… some.
	swift build
	Tests/Fuzz/fuzz.sh $(or $(SECONDS),60) $(TARGETS)

.PHONY: conformance
conformance: deps ## Proves the Push Service with programs of others, from PyPI and Debian.
	@$(call install_packages,$(CONFORMANCE_PACKAGES))
	/usr/bin/python3 -m venv .build/conformance
	.build/conformance/bin/pip install --quiet \
	  aiocometd-ng==0.5.6 http-ece==1.2.1 kosoku==0.1.0 setuptools wheel
	HIGGINS_PYTHON="$$PWD/.build/conformance/bin/python" HIGGINS_CONFORMANCE=1 \
	  swift test --disable-xctest \
	  --filter "BayeuxClientTests|ChatPageTests|SleepingDeviceTests|WebSocketConformanceTests"

# In a folder of its own, as everything is built differently, and one part after the other, as the
# sanitizer leaves no time for what has to be done within a second; ten thousand connections within
# a limit are beyond it. What decides is left out: it has no threads, and its tests take long.
.PHONY: tsan
tsan: deps ## Looks for data races in the parts that have threads.
	export SWIFT_BACKTRACE=enable=no
	export TSAN_OPTIONS="halt_on_error=0 exitcode=66 suppressions=$$PWD/Tests/tsan.supp"
	swift build --build-tests --sanitize thread --scratch-path .build/tsan
	for part in AccessTests StorageTests AttributeServerTests PushServerTests TransportTests; do
	  swift test --disable-xctest --skip-build --sanitize thread --scratch-path .build/tsan \
	    --filter "$$part" --skip AbuseTests
	done

.PHONY: bench
bench: build ## Measures how long a change takes, beside polling and beside pass with git.
	@$(call install_packages,$(BENCH_PACKAGES))
	swift run --configuration release higgins-bench $(ARGS)

.PHONY: lint
lint: ## Checks the form of every Swift file.
	swift format lint --strict --recursive --parallel $(SOURCES)

.PHONY: format
format: ## Brings every Swift file into form.
	swift format --in-place --recursive --parallel $(SOURCES)

.PHONY: docs
docs: deps ## Builds the documentation into .build/docs.
	$(build_documentation)

.PHONY: clean-build
clean-build:
	swift package clean
	swift build --build-tests --explicit-target-dependency-import-check error

# What has bounds of time runs beside nothing that is bound by the processor, and last: the closing
# lines of the tests are the verdict. What has none runs beside fuzzing, which takes the same time
# however busy the machine is; what mostly waits, beside the seeds.
.PHONY: ci
ci: deps lint clean-build ## All that has to hold before a change goes in.
	BUILT=$$(swift build --show-bin-path) Tests/Fuzz/fuzz.sh $(or $(SECONDS),60) & fuzzing=$$!
	trap 'kill $$fuzzing 2>/dev/null || true' EXIT
	swift build --configuration release --product higgins-simulate
	$(build_documentation)
	$(tests) --filter $(untimed)
	wait $$fuzzing
	$(call install_packages,$(CHAOS_PACKAGES))
	chaos="$$(swift build --show-bin-path)/higgins-chaos"
	$(call beside_simulation,"$$chaos" --quick; $(tests) --filter HostileTests)
	$(run_timed_tests)

# As manuals of subcommands are looked for (`man higgins devices` is higgins-devices(1)), and with
# examples in lines of their own.
manual_page = awk '\
  /^\.(Dt|Xr) / { gsub(/\./, "-", $$2) } \
  /^\.Nm "/ { whole = $$0; gsub(/"/, ""); $$0 = substr($$0, 5); gsub(/ /, "-"); $$0 = ".Nm " $$0 } \
  /^\.Nd "/ { gsub(/"/, "") } \
  /^\.Nm$$/ && whole { $$0 = whole } \
  /^EXAMPLE: / { $$0 = ".Bd -literal -offset indent\n" substr($$0, 10) "\n.Ed" } \
  { print }'

.PHONY: install
install: build ## Copies programs, themes, manual pages, completions and the service to PREFIX.
	bin=$$(swift build --configuration release --show-bin-path)
	to="$(DESTDIR)$(PREFIX)"
	swift package generate-manual --multi-page
	install -d "$$to/bin" "$$to/share/higgins/themes" "$$to/share/man/man1" \
	  "$$to/lib/systemd/system" "$$to/lib/sysusers.d"
	install -m 755 "$$bin/higgins" "$$bin/higginsd" "$$to/bin"
	install -m 644 themes/*.toml "$$to/share/higgins/themes"
	sed 's#@bin@#$(PREFIX)/bin#' Sources/DaemonApp/Service/higginsd.service \
	  >"$$to/lib/systemd/system/higginsd.service"
	install -m 644 Sources/DaemonApp/Service/higginsd.conf "$$to/lib/sysusers.d"
	for page in .build/plugins/GenerateManual/outputs/{SelectorApp,DaemonApp}/*.1; do
	  name=$$(basename "$$page" .1)
	  $(manual_page) "$$page" >"$$to/share/man/man1/$${name//./-}.1"
	done
	for program in higgins higginsd; do
	  completion() { "$$bin/$$program" --generate-completion-script "$$1"; }
	  install -d "$$to/share/bash-completion/completions" "$$to/share/zsh/site-functions" \
	    "$$to/share/fish/vendor_completions.d"
	  completion bash >"$$to/share/bash-completion/completions/$$program"
	  completion zsh >"$$to/share/zsh/site-functions/_$$program"
	  completion fish >"$$to/share/fish/vendor_completions.d/$$program.fish"
	done

.PHONY: clean
clean: ## Removes what was built.
	swift package clean
	rm -rf .build/docs .build/plugins
