# Amphi in two commands: `make run` shows it, `make test` proves it.
# Both work on a clean clone with nothing but Go, make and git.

GO      ?= go
TOOL     = $(GO) tool -modfile=tools.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X github.com/amphi-campus/amphi/internal/app.Version=$(VERSION)
# What `amphi demo` is told, for instance DEMO='--listen 127.0.0.1:9000'.
DEMO    ?=
FUZZTIME ?= 10s

# The packages whose tests run under the race detector: those that share memory
# between goroutines, and those whose tests press a button many times at once.
CONCURRENT = ./internal/platform/... ./internal/modules/identity ./internal/modules/identity/upstream/... \
	$(addprefix ./internal/modules/identity/,activation code diagnostic factor journal password recovery renewal risk/...) \
	$(addprefix ./internal/modules/,sso $(addprefix sso/,casserver keys oidcop samlidp)) \
	$(addprefix ./internal/modules/helpdesk/,counter handling outage ticket)
# The stories in a browser.
STORIES    = ./e2e
VIEWS      = internal/ui internal/contract $(wildcard internal/modules/*)
SQLC_FILES = $(wildcard $(addsuffix /sqlc.yaml,internal/* internal/*/* internal/*/*/* internal/*/*/*/*))
GENERATED  = '*_templ.go' '*/sqlgen/*.go' docs/reasons.md docs/configuration.md

.DEFAULT_GOAL := help
.PHONY: help run dev build test tests stories packages check format vet staticcheck vulnerabilities generated generate generate-views generate-queries bench fuzz clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, and open the demo university on a loopback address
	bin/amphi demo $(DEMO)

dev: ## like run, but rebuild and restart whenever a file changes
	$(GO) run ./internal/testenv/watch -- bin/amphi demo $(DEMO)

build: ## build bin/amphi
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/amphi ./cmd/amphi

test: ## run every test, with real PostgreSQL, Chromium and Apache
	$(GO) run ./internal/testenv -- $(MAKE) --no-print-directory tests

# The tests alone; what they need is in the environment (AMPHI_TEST_…). Each runs
# once, and what fails, or does not even compile, keeps no other from running. The
# stories wait for the browser more than they work: the other tests fill the time.
# What both would compile is compiled before.
tests:
	-@$(GO) build ./...
	@$(MAKE) --no-print-directory --keep-going --jobs=2 stories packages

stories:
	$(GO) test -timeout 45m $(STORIES)

packages:
	@all=$$($(GO) list -e ./... | grep -vxF "$$($(GO) list -e $(STORIES))") || exit 1; \
	if [ -z "$$AMPHI_TEST_CC" ]; then \
		echo 'The race detector needs gcc: the tests run without it.'; \
		exec $(GO) test -timeout 45m $$all; \
	fi; \
	concurrent=$$($(GO) list -e $(CONCURRENT)) || exit 1; \
	$(GO) test -timeout 45m $$(echo "$$all" | grep -vxF "$$concurrent"); code=$$?; \
	echo '$(GO) test -race $(CONCURRENT)'; \
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $$concurrent || code=$$?; \
	exit $$code

check: format vet staticcheck generated vulnerabilities ## format, vet, staticcheck, generated files, known vulnerabilities

format:
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "Run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(TOOL) staticcheck ./...

# The advisory database lives elsewhere; being offline is said, not failed.
vulnerabilities:
	@said=$$($(TOOL) govulncheck ./... 2>&1); code=$$?; \
	case "$$said" in \
	*'fetching vulnerabilities'*) echo 'govulncheck: its database cannot be reached from here; known vulnerabilities were NOT checked.' ;; \
	*) echo "$$said"; exit $$code ;; \
	esac

generated: generate
	@if ! git diff --exit-code --stat -- $(GENERATED); then \
		echo 'These generated files were out of date and have been written again: commit them.'; exit 1; fi

generate: generate-views generate-queries ## write the generated files again (views, queries, pages of docs/)
	$(GO) generate ./...

# Room by room: templ writes the path from where it begins into the file, and
# whoever works on one room generates that room alone.
generate-views:
	@for room in $(VIEWS); do echo "templ generate -path $$room"; $(TOOL) templ generate -path $$room >/dev/null || exit 1; done

generate-queries:
	@for file in $(SQLC_FILES); do echo "sqlc generate -f $$file"; $(TOOL) sqlc generate -f $$file || exit 1; done

bench: build ## measure speed, memory and sizes; print a table
	$(GO) run ./bench

fuzz: ## look for inputs that break the parsers, FUZZTIME each (10s)
	@grep -rHo --include='*_test.go' 'func Fuzz[A-Za-z0-9_]*' cmd internal | sed 's/:func /:/' | while IFS=: read -r file name; do \
		echo "$$name in $$(dirname $$file)"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "./$$(dirname $$file)" || exit 1; \
	done

clean: ## remove what was built and the demo's data
	rm -rf bin var
