#!/usr/bin/env bash
# Three selectors side by side on one screen, with a server between them, all in a temporary folder.
#
#   demo.sh            plays a guided tour, until a person types in a pane; leaving the last
#                      selector ends everything
#   demo.sh --no-tour  the same without the tour
#   demo.sh --script   plays it unattended, saves the screens as text, and fails if a change did
#                      not arrive
#   --out DIR          where --script saves the screens (.build/demo)
#
# BIN names the folder with higgins and higginsd; else the release build's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

script=false
tour=true
out=.build/demo
while [ $# -gt 0 ]; do
  case $1 in
    --script) script=true tour=false ;;
    --no-tour) tour=false ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo: unknown option $1; see --help" >&2; exit 64 ;;
  esac
  shift
done

fail() {
  echo "demo: $1" >&2
  exit 1
}

bin=${BIN:-$(swift build --configuration release --show-bin-path)}
bin=$(cd "$bin" 2>/dev/null && pwd) || fail "there is no folder with the programs; run make build"
for program in higgins higginsd; do
  [ -x "$bin/$program" ] || fail "$bin/$program is not there; run make build"
done
command -v tmux >/dev/null || fail "needs tmux: run apt-get install tmux"
# Checked before anything starts: half a minute later would be a pity.
if ! $script; then
  [ -t 0 ] && [ -t 1 ] || fail "needs a terminal; try make demo-script"
  columns=$(tput cols) rows=$(tput lines)
  # A selector wants 40 columns; one goes to each rule between them.
  [ "$columns" -ge 122 ] && [ "$rows" -ge 20 ] ||
    fail "three selectors side by side need 122 columns and 20 rows, better 161 and 26; this \
terminal has $columns and $rows. Make it larger, or try make demo-script"
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/higgins-demo-XXXXXX")
chmod 700 "$folder"
socket=higgins-demo-$$
server=
pairing=

# -u: the selectors draw beyond ASCII, whatever the locale of whoever looks.
tmux() { command tmux -u -L "$socket" -f /dev/null "$@"; }

# Ends a process, by force if it does not go within 12 s (higginsd drains for up to 10 s).
end() {
  local try
  kill "$1" 2>/dev/null || return 0
  for ((try = 0; try < 240; try++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -KILL "$1" 2>/dev/null || true
}

finish() {
  local process selectors
  selectors=$(tmux list-panes -a -F '#{pane_pid}' 2>/dev/null || true)
  # Selectors first, so that they can still send; a pane whose program ends is closed by tmux.
  for process in $selectors $pairing $server; do end "$process"; done
  tmux kill-server 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits up to 20 s until a command succeeds.
await() {
  local what=$1 try
  shift
  for ((try = 0; try < 400; try++)); do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  echo "demo: waited 20 s for $what" >&2
  return 1
}

# Runs a command whose words only matter when it fails.
quietly() {
  "$@" >"$folder/words" 2>&1 && return
  cat "$folder/words" >&2
  fail "this did not work: $*"
}

# A demo among a person's own tmux sessions, and profiles of its own.
unset TMUX TMUX_PANE HIGGINS_PROFILE
export HIGGINS_HOME=$folder/home HIGGINS_PASSPHRASE_FILE=$folder/passphrase
export LC_ALL=C.UTF-8
# Screens that were saved are compared; a person sees the time of the place.
if $script; then export TZ=UTC; fi
(umask 077 && echo "correct horse battery staple" >"$HIGGINS_PASSPHRASE_FILE")
profile() { HIGGINS_PROFILE=$1 "$bin/higgins" "${@:2}"; }

# The server, on ports of its choice.
"$bin/higginsd" serve --data "$folder/server" --listen 127.0.0.1:0 --push-listen 127.0.0.1:0 \
  --signals-listen 127.0.0.1:0 --ready-file "$folder/ready" >"$folder/server.log" 2>&1 &
server=$!
await "higginsd" test -s "$folder/ready" || { tail -n 5 "$folder/server.log" >&2; exit 1; }
address=$(sed 's/.*"attributes":"\([^"]*\)".*/\1/; s#\\/#/#g' "$folder/ready")

# The account with its first device.
echo "Making an account and three devices …"
quietly profile home init --server "$address" --account ann --device "home pc"

# Sample contexts.
cat >"$folder/contexts.json" <<'JSON'
{"encrypted":false,"folders":[],"items":[
{"type":1,"name":"github.example","login":{"username":"ann","password":"Kestrel-41-harbour","totp":"JBSWY3DPEHPK3PXP","uris":[{"uri":"https://github.example"}]},"notes":"recovery codes in the safe","fields":[{"type":0,"name":"email","value":"ann@example.test"}]},
{"type":1,"name":"bank.example","login":{"username":"4711-0815","password":"meadow lantern otter 7"},"notes":"branch: Anytown"},
{"type":1,"name":"mail.example","login":{"username":"ann@example.test","password":"Pebble!Orchard!19","totp":"GEZDGNBVGY3TQOJQ"}},
{"type":1,"name":"shop.example","login":{"username":"ann","password":"9Walnut9Ferry"},"fields":[{"type":0,"name":"email","value":"ann+shop@example.test"}]},
{"type":1,"name":"vpn.work.example","login":{"username":"ann.b","password":"Cobalt.Thimble.3"}},
{"type":1,"name":"wiki.work.example","login":{"username":"ann.b","password":"ginger-anchor-52"}},
{"type":4,"name":"home","identity":{"firstName":"Ann","lastName":"B.","email":"ann@example.test","address1":"1 Sample Street","city":"Anytown"}},
{"type":4,"name":"work","identity":{"firstName":"Ann","lastName":"B.","email":"ann.b@work.example","company":"Example Ltd"}}
]}
JSON
quietly profile home import bitwarden "$folder/contexts.json"
quietly profile home new router.lan
quietly profile home set router.lan username - <<<"admin"
quietly profile home set router.lan password - <<<"blue-giraffe-radio"

# Another device: a trusted one shows a single-use code and admits whoever brings it.
join() {
  local code=$folder/code-$1
  : >"$code"
  profile home devices pair --yes >"$code" 2>"$folder/pairing.log" &
  pairing=$!
  await "a pairing code" grep -q . "$code" || { cat "$folder/pairing.log" >&2; exit 1; }
  quietly profile "$1" join --device "$2" <<<"$(head -n 1 "$code")"
  wait "$pairing" || { cat "$folder/pairing.log" >&2; exit 1; }
  pairing=
}
join work "work pc"
join mobile "mobile"

# One window of that size with the three selectors side by side.
panes() {
  local selector tours=("" "" "") name
  printf -v selector 'exec %q' "$bin/higgins"
  if $tour; then
    tours=()
    for name in home work mobile; do
      tours+=("$(printf ' --script %q' "$here/tour/$name.txt")")
    done
  fi
  tmux start-server \; set-option -g default-terminal tmux-256color \; \
    set-option -g escape-time 25 \; set-option -g mouse on \; \
    set-option -g status-style reverse \; set-option -g status-left-length 70 \; \
    set-option -g status-left ' Change a password on one (c, Enter) and watch the others. ' \; \
    set-option -g status-right-length 60 \; \
    set-option -g status-right ' other pane: Ctrl-b and an arrow   leave: q in each ' \; \
    set-option -g window-status-format '' \; set-option -g window-status-current-format '' \; \
    set-option -g pane-border-status top \; set-option -g pane-border-format ' #{pane_title} ' \; \
    new-session -d -s demo -x "$1" -y "$2" -e HIGGINS_PROFILE=home "$selector${tours[0]}" \; \
    split-window -h -e HIGGINS_PROFILE=work "$selector${tours[1]}" \; \
    split-window -h -e HIGGINS_PROFILE=mobile "$selector${tours[2]}" \; \
    select-layout even-horizontal \; select-pane -t demo.0
}

if ! $script; then
  panes "$columns" "$rows"
  tmux attach-session -t demo || fail "tmux could not show it; try make demo-script"
  exit 0
fi

# The play. A pane is named by its number: 0 home pc, 1 work pc, 2 mobile.
mkdir -p "$out"
rm -f "$out"/failed-[012].txt
screen() { tmux capture-pane -p -t "demo.$1"; }
shows() { screen "$1" | grep -qF -- "$2"; }
press() { tmux send-keys -t "demo.$1" "${@:2}"; }
enter() { tmux send-keys -t "demo.$1" -l -- "$2"; }
save() {
  local pane
  for pane in 0 1 2; do screen "$pane" >"$out/$1-$pane.txt"; done
}
expect() {
  local pane
  await "\"$2\" on pane $1" shows "$1" "$2" && return
  save failed
  for pane in 0 1 2; do
    printf '%s\n' "--- pane $pane" >&2
    cat "$out/failed-$pane.txt" >&2
  done
  fail "the change did not arrive; the three screens are in $out/failed-*.txt"
}
# Whether a pane has painted itself for this many columns: its title ends at the right edge.
is_wide() { [ "$(screen "$1" | head -n 1 | wc -m)" -ge $(($2 - 1)) ]; }
# Saves one selector alone at a size, then gives the three their places again.
save_alone() {
  local pane=$1 columns=$2 rows=$3
  tmux set-option -g pane-border-status off \; set-option -g status off \; \
    resize-pane -Z -t "demo.$pane" \; resize-window -t demo -x "$columns" -y "$rows"
  await "$columns columns on pane $pane" is_wide "$pane" "$columns"
  screen "$pane" >"$out/$4-${columns}x$rows.txt"
  tmux resize-pane -Z -t "demo.$pane" \; set-option -g status on \; \
    set-option -g pane-border-status top \; resize-window -t demo -x 161 -y 25 \; \
    select-layout -t demo even-horizontal
}
# The value each device holds of an attribute, one a line.
held() {
  local device
  for device in home work mobile; do
    profile "$device" get github.example "$1"
    echo
  done
}
# Opens the e-mail of the marked context and empties the field.
edit_email() {
  press "$1" 2 G Enter
  expect "$1" "Editing"
  press "$1" C-a C-k
}

# Three times 53x24, the rules between them, the titles and the guide.
panes 161 25
for pane in 0 1 2; do
  expect "$pane" "github.example"
  expect "$pane" "3/3"
  press "$pane" j
  expect "$pane" "─ github.example ─"
done
save 1-before

echo "home pc changes the password of github.example …"
press 0 c
expect 0 "New password"
expect 0 "••••"
save 2-new-password
press 0 Enter
for pane in 1 2; do expect "$pane" "home pc changed github.example / password"; done
values=$(held password)
if [ "$(sort -u <<<"$values" | wc -l)" != 1 ] || grep -q Kestrel <<<"$values"; then
  fail "the three devices do not hold one new password"
fi
save 3-password-arrived

echo "mobile changes the e-mail …"
edit_email 2
enter 2 "ann.b@example.test"
expect 2 "ann.b@example.test"
save 4-editing
press 2 Enter
for pane in 0 1; do expect "$pane" "mobile changed github.example / email"; done
for pane in 0 1; do expect "$pane" "ann.b@example.test"; done
save 5-email-arrived

echo "A command on mobile makes a context, through the selector that is open there …"
quietly profile mobile new forum.example
for pane in 0 1; do expect "$pane" "mobile added forum.example"; done
save_alone 0 80 24 6-home-pc
save_alone 0 120 35 6-home-pc

echo "home pc and work pc change the e-mail at the same time …"
for pane in 0 1; do edit_email "$pane"; done
enter 0 "ann@home.example"
enter 1 "ann@work.example"
press 0 Enter
expect 2 "ann@home.example"
expect 1 "email was changed on home pc while you edit"
save 7-meanwhile
press 1 Enter
for pane in 0 1 2; do expect "$pane" "1 conflict"; done
press 2 X
expect 2 "[Conflicts 1]"
press 2 Enter
expect 2 "changed on two devices"
save 7-conflict
save_alone 2 80 24 7-mobile

echo "mobile keeps the second value …"
press 2 2 Enter
for pane in 0 1; do expect "$pane" "mobile changed github.example / email"; done
[ "$(held email | sort -u)" = "ann@work.example" ] || fail "the three do not hold the chosen e-mail"
save 8-resolved
echo "All three hold the same. The screens are in $out."
