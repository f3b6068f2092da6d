#!/bin/bash
# Feeds every parser that meets bytes from elsewhere with what libFuzzer thinks of.
#
#   fuzz.sh SECONDS [TARGET…]
#
# BUILT in the environment names the folder of the debug build, so that SwiftPM, which may be busy,
# need not be asked.
#
# Our own modules are built anew with coverage and AddressSanitizer; the libraries under them are
# linked as the debug build left them (BoringSSL alone would take minutes). What is found lies in
# .build/fuzz; put it into Tests/Fuzz/Corpus/TARGET, and it is tried first from then on.
set -euo pipefail

seconds=$1
shift
cd "$(dirname "$0")/../.."
# A crash would wait for ever for the runtime's backtrace.
export SWIFT_BACKTRACE=enable=no
built=${BUILT:-$(swift build --show-bin-path)}
out=.build/fuzz
mkdir -p "$out"

flags=(
  -swift-version 6 -O -wmo -enable-testing -parse-as-library -sanitize=fuzzer,address
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
  -enable-upcoming-feature InternalImportsByDefault
  -enable-upcoming-feature NonisolatedNonsendingByDefault
  -I "$out" -I Sources/CSodium -I "$built/Modules"
  -I .build/checkouts/GRDB.swift/Sources/GRDBSQLite
)
checkouts=.build/checkouts
for include in swift-crypto/Sources/{CCryptoBoringSSL,CCryptoBoringSSLShims,CXKCP,CXKCPShims} \
  swift-certificates/Sources/_CertificateInternals TOMLKit/Sources/CTOML; do
  [ -d "$checkouts/$include/include" ] && flags+=(-Xcc -I -Xcc "$checkouts/$include/include")
done

# module NAME SOURCES…: skipped while neither its sources nor a module before it have changed.
is_new=
module() {
  local name=$1
  shift
  if [ -z "$is_new" ] && [ -e "$out/$name.o" ] && [ -z "$(find "$@" -newer "$out/$name.o")" ]; then
    return
  fi
  is_new=yes
  echo "fuzz: building $name" >&2
  swiftc "${flags[@]}" -module-name "$name" -emit-module \
    -emit-module-path "$out/$name.swiftmodule" -c -o "$out/$name.o" "$@"
}

mapfile -t wire < <(find Sources/Wire -name '*.swift')
mapfile -t vault < <(find Sources/Vault -name '*.swift')
mapfile -t sync < <(find Sources/Sync -name '*.swift')
mapfile -t access < <(find Sources/Access -name '*.swift')
mapfile -t storage < <(find Sources/Storage -name '*.swift')
# The server's database and what decides about it, without the network around them.
held=(Sources/AttributeServer/{AttributeServerError,Ledger,Rows}*.swift
  Sources/AttributeServer/{SQLiteLedgerStore,ServerDatabase}*.swift)
mapfile -t settings < <(find Sources/SettingsFiles -name '*.swift')
mapfile -t selector < <(find Sources/Selector -name '*.swift')
module Wire "${wire[@]}"
module Vault "${vault[@]}"
module Sync "${sync[@]}"
module Access "${access[@]}"
module Storage "${storage[@]}"
module Held "${held[@]}"
module SettingsFiles "${settings[@]}"
module Selector "${selector[@]}"
# Parsers of the edges, without the network around them.
module Outer \
  Sources/PushServer/{HTTP/RequestReader,WebSocket/WebSocketReader,Chat/ChatMessage,Session}.swift \
  Sources/PushServer/Bayeux/BayeuxMessage.swift \
  Sources/Transport/{EventStreamReader,ServerAddress,TransportError}.swift \
  Sources/Terminal/{EscapeSequence,InputDecoder,KeyTable,TerminalEvent}.swift
module Fuzz Tests/Fuzz/*.swift

if [ ! -e "$out/fuzz" ] || [ -n "$(find "$out"/*.o -newer "$out/fuzz")" ]; then
  libraries=()
  for name in Crypto CryptoBoringWrapper CCryptoBoringSSL CCryptoBoringSSLShims CXKCP CXKCPShims \
    CryptoExtras _CryptoExtras JWTKit X509 SwiftASN1 _CertificateInternals HashTreeCollections \
    InternalCollectionsUtilities Logging TOMLKit CTOML GRDB; do
    [ -d "$built/$name.build" ] && libraries+=("$built/$name.build")
  done
  rm -f "$out/libraries.a"
  find "${libraries[@]}" -name '*.o' -print0 | xargs -0 ar rcsT "$out/libraries.a"
  swiftc -sanitize=fuzzer,address -use-ld=lld -o "$out/fuzz" \
    "$out"/{Wire,Vault,Sync,Access,Storage,Held,SettingsFiles,Selector,Outer,Fuzz}.o \
    "$out/libraries.a" -lsodium -lsqlite3 -lstdc++
fi

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(Tests/Fuzz/Corpus/*/)
targets=("${targets[@]%/}")
targets=("${targets[@]##*/}")

# Databases are written and flushed for each input: in memory, where there is such a place.
if [ -w /dev/shm ]; then
  TMPDIR=$(mktemp -d -p /dev/shm)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi

# One target with its corpus first, then what grows out of it.
run() {
  local name=$1 found="$out/found/$1" log="$out/$1.log"
  mkdir -p "$found" "$out/grown/$name"
  local options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=8192
    -artifact_prefix="$found/" -print_final_stats=1)
  # Memory that a value keeps for good is no leak, and the runtime keeps some. What else is at work
  # meanwhile goes first, as this takes the same time whatever it gets of the processors.
  if FUZZ_TARGET=$name ASAN_OPTIONS=detect_leaks=0 nice -n 5 "$out/fuzz" "${options[@]}" \
    "$out/grown/$name" "Tests/Fuzz/Corpus/$name" >"$log" 2>&1; then
    echo "fuzz: $name: $(grep -c . <(ls "$out/grown/$name")) inputs reach all that was reached," \
      "$(awk '/number_of_executed_units/ { print $2 }' "$log") tried"
  else
    echo "fuzz: $name FAILED; the input is in $found; the end of $log:" >&2
    grep -aE 'Fatal|Precondition|ERROR|SUMMARY|Test unit' "$log" | head -n 5 >&2
    return 1
  fi
}

# As many at a time as there are processors.
status=0
running=0
for name in "${targets[@]}"; do
  if [ "$running" -ge "$(nproc)" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  run "$name" &
  running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || status=1; done
exit $status
