# What a developer types. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: run dev test e2e torture soak mutants check gen bench demo figures help build web setup

BIN := bin/patron
DATA_DIR ?= patron-data
LISTEN ?= 127.0.0.1:8080
# All is compiled one way, once: tests, tools and the program share it. The race detector has its own.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

run: setup build ## build and start on the embedded database, with demo data the first time
	@[ -e $(DATA_DIR)/patron.db ] || ./$(BIN) demo --data-dir $(DATA_DIR)
	@echo "Patron is starting on http://$(LISTEN) (API reference: http://$(LISTEN)/docs). Stop it with Ctrl-C."
	@echo "A key for the API, from another window: ./$(BIN) key create --name me --scopes all --data-dir $(DATA_DIR)"
	@exec ./$(BIN) serve --data-dir $(DATA_DIR) --listen $(LISTEN)

dev: ## start from source, without demo data
	go run ./cmd/patron serve --data-dir $(DATA_DIR) --listen $(LISTEN)

# The race detector makes everything some five times slower, so it watches the packages
# that share memory between goroutines; the rest runs without it, and so do most of the
# histories of the ledger, which share nothing that the first hundred do not.
test: setup web check ## the static part and all tests but torture; starts PostgreSQL by itself
	scripts/with-postgres.sh bash -euo pipefail -c '\
		go test -vet=off -timeout 20m ./...; \
		export CGO_ENABLED=1; \
		go test -vet=off -race -timeout 20m ./internal/kit/...; \
		go test -vet=off -race -timeout 20m ./internal/ledger -rapid.checks=100'

torture: ## kills, power cuts, failing disks, two servers, a mail server; wants root and /dev/fuse
	@scripts/setup.sh torture
	scripts/with-postgres.sh go test -tags torture -count=1 -timeout 30m -v ./internal/test/torture | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'

soak: setup ## the long form of laws, races and torture: PATRON_SOAK times as much (20)
	scripts/soak.sh

mutants: setup ## plant the bugs of scripts/mutants one by one: each has to be caught
	scripts/with-postgres.sh scripts/mutants.sh $(MUTANTS)

check: web/node_modules ## the static part: format, vet, staticcheck, generated files; types, lint, texts and tests of the faces
	@unformatted=$$(gofmt -l cmd internal); [ -z "$$unformatted" ] || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go vet -tags torture ./internal/test/...
	$(STATICCHECK) ./...
	$(STATICCHECK) -tags torture ./internal/test/...
	@go run ./cmd/patron openapi | diff -u api/openapi.json - || { echo "api/openapi.json is not what the routes say: run make gen"; exit 1; }
	@go run ./cmd/patron programme schema | diff -u docs/programme.schema.json - || { echo "docs/programme.schema.json is not what the code says: run make gen"; exit 1; }
	npm --prefix web run --silent check

gen: ## write what is generated from the code: api/openapi.json, docs/programme.schema.json
	@mkdir -p api
	go run ./cmd/patron openapi > api/openapi.json.new
	mv api/openapi.json.new api/openapi.json
	go run ./cmd/patron programme schema > docs/programme.schema.json.new
	mv docs/programme.schema.json.new docs/programme.schema.json

bench: setup build ## postings a second over HTTP, on both engines
	scripts/bench.sh sqlite
	PATRON_TEST_DISK=1 scripts/with-postgres.sh scripts/bench.sh postgresql

demo: build ## fill an empty database with a believable shop
	./$(BIN) demo --data-dir $(DATA_DIR)

figures: setup build ## import real purchase histories and check them: make figures DATA=../shared/data
	@[ -n "$(DATA)" ] || { echo "say where the data are: make figures DATA=../shared/data" >&2; exit 2; }
	PATRON_TEST_DISK=1 scripts/with-postgres.sh scripts/figures.sh "$(DATA)"

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

build: web
	@mkdir -p bin
	go build -tags web -o $(BIN) ./cmd/patron

web: web/node_modules ## build the console and the portal, which the binary then holds
	npm --prefix web run --silent build
	node scripts/press.mjs web/console/dist web/portal/dist

web/node_modules: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

# Screens that are tried on each engine: of four, two each. CI tries one on each: all four take
# as long as everything else together.
E2E_SQLITE ?= desk-zh phone-en
E2E_POSTGRES ?= desk-en phone-zh

e2e: build test/e2e/node_modules ## the journeys of people, in a browser: each language and size once, half of them on SQLite and half on PostgreSQL
	@scripts/setup.sh e2e
	npm --prefix test/e2e run --silent test -- $(E2E_SQLITE:%=--project %)
	scripts/with-postgres.sh npm --prefix test/e2e run --silent test -- $(E2E_POSTGRES:%=--project %)

test/e2e/node_modules: test/e2e/package-lock.json
	npm --prefix test/e2e ci --no-audit --no-fund
	@touch $@


setup:
	@scripts/setup.sh
