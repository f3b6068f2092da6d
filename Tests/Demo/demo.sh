#!/usr/bin/env bash
# Three selectors side by side on one screen, with a server between them, all in a temporary folder.
#
#   demo.sh            a person types in any pane; leaving the last selector ends everything
#   demo.sh --script   plays it unattended, saves the screens as text, and fails if a change did
#                      not arrive
#   --out DIR          where --script saves the screens (.build/demo)
#
# BIN names the folder with higgins and higginsd; else the release build's.
set -euo pipefail

script=false
out=.build/demo
while [ $# -gt 0 ]; do
  case $1 in
    --script) script=true ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo: unknown option $1; see --help" >&2; exit 64 ;;
  esac
  shift
done

bin=${BIN:-$(swift build --configuration release --show-bin-path)}
for program in higgins higginsd; do
  [ -x "$bin/$program" ] || { echo "demo: $bin/$program is not there; run make build" >&2; exit 1; }
done
command -v tmux >/dev/null || { echo "demo: needs tmux: run apt-get install tmux" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/higgins-demo-XXXXXX")
chmod 700 "$folder"
socket=higgins-demo-$$
server=
pairing=

tmux() { command tmux -L "$socket" -f /dev/null "$@"; }

finish() {
  tmux kill-server 2>/dev/null || true
  for process in $pairing $server; do kill "$process" 2>/dev/null || true; done
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
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

export HIGGINS_HOME=$folder/home HIGGINS_PASSPHRASE_FILE=$folder/passphrase
(umask 077 && echo "correct horse battery staple" >"$HIGGINS_PASSPHRASE_FILE")
profile() { HIGGINS_PROFILE=$1 "$bin/higgins" "${@:2}"; }

# The server, on ports of its choice.
"$bin/higginsd" serve --data "$folder/server" --listen 127.0.0.1:0 --push-listen 127.0.0.1:0 \
  --signals-listen 127.0.0.1:0 --ready-file "$folder/ready" >"$folder/server.log" 2>&1 &
server=$!
await "higginsd" test -s "$folder/ready" || { tail -n 5 "$folder/server.log" >&2; exit 1; }
address=$(sed 's/.*"attributes":"\([^"]*\)".*/\1/' "$folder/ready" | sed 's#\\/#/#g')

# The account with its first device, and two more that are paired with it.
echo "Making an account and three devices …"
profile home init --server "$address" --account ann --device "home pc" >/dev/null 2>&1
join() {
  profile home devices pair --yes >"$folder/code" 2>/dev/null &
  pairing=$!
  await "a pairing code" grep -q . "$folder/code"
  head -n 1 "$folder/code" | profile "$1" join --device "$2" >/dev/null 2>&1
  wait "$pairing"
  pairing=
}

# Sample contexts: name, user, password, e-mail.
cat >"$folder/contexts.json" <<'JSON'
{"encrypted":false,"folders":[],"items":[
{"type":1,"name":"github.example","login":{"username":"ann","password":"Kestrel-41-harbour","totp":"JBSWY3DPEHPK3PXP","uris":[{"uri":"https://github.example"}]},"notes":"recovery codes in the safe","fields":[{"type":0,"name":"email","value":"ann@example.test"}]},
{"type":1,"name":"bank.example","login":{"username":"4711-0815","password":"meadow lantern otter 7"}},
{"type":1,"name":"mail.example","login":{"username":"ann@example.test","password":"Pebble!Orchard!19"}},
{"type":1,"name":"router.lan","login":{"username":"admin","password":"blue-giraffe-radio"}},
{"type":1,"name":"shop.example","login":{"username":"ann","password":"9Walnut9Ferry"},"fields":[{"type":0,"name":"email","value":"ann+shop@example.test"}]},
{"type":1,"name":"vpn.work.example","login":{"username":"ann.b","password":"Cobalt.Thimble.3"}},
{"type":1,"name":"wiki.work.example","login":{"username":"ann.b","password":"ginger-anchor-52"}},
{"type":4,"name":"home","identity":{"firstName":"Ann","lastName":"B.","email":"ann@example.test","address1":"1 Sample Street","city":"Anytown"}},
{"type":4,"name":"work","identity":{"firstName":"Ann","lastName":"B.","email":"ann.b@work.example","company":"Example Ltd"}}
]}
JSON
profile home import bitwarden "$folder/contexts.json" >/dev/null
join work "work pc"
join mobile "mobile"

selector() {
  echo "env HIGGINS_HOME='$HIGGINS_HOME' HIGGINS_PASSPHRASE_FILE='$HIGGINS_PASSPHRASE_FILE'" \
    "HIGGINS_PROFILE=$1 LC_ALL=${LC_ALL:-C.UTF-8} '$bin/higgins'"
}

panes() {
  tmux new-session -d -s demo -x "$1" -y "$2" "$(selector home)"
  tmux set-option -g status-style reverse
  tmux set-option -g status-left ' Change a password on one (c, Enter) and watch the others. '
  tmux set-option -g status-left-length 70
  tmux set-option -g status-right ' other pane: Ctrl-b and an arrow   leave: q in each '
  tmux set-option -g status-right-length 60
  tmux set-option -g window-status-format ''
  tmux set-option -g window-status-current-format ''
  tmux set-option -g escape-time 25
  tmux set-option -g mouse on
  tmux split-window -h -t demo "$(selector work)"
  tmux split-window -h -t demo "$(selector mobile)"
  tmux select-layout -t demo even-horizontal >/dev/null
  tmux select-pane -t demo.0
}

if ! $script; then
  panes "$(tput cols 2>/dev/null || echo 160)" "$(tput lines 2>/dev/null || echo 40)"
  tmux attach-session -t demo || { echo "demo: needs a terminal; try make demo-script" >&2; exit 1; }
  exit 0
fi

mkdir -p "$out"
screen() { tmux capture-pane -p -t "demo.$1"; }
shows() { screen "$1" | grep -qF -- "$2"; }
save() {
  local pane name=$1
  for pane in 0 1 2; do screen "$pane" >"$out/$name-$pane.txt"; done
}
expect() {
  await "\"$2\" in pane $1" shows "$1" "$2" && return
  save failed
  echo "demo: the change did not arrive; what was on the three screens is in $out/failed-*.txt" >&2
  exit 1
}

panes 161 30
for pane in 0 1 2; do
  expect "$pane" "github.example"
  expect "$pane" "3/3"
done
tmux send-keys -t demo.0 /
tmux send-keys -t demo.0 -l github
tmux send-keys -t demo.0 Enter
save 1-before
echo "home pc changes the password of github.example …"
tmux send-keys -t demo.0 c
expect 0 "New password"
save 2-new-password
tmux send-keys -t demo.0 Enter
for pane in 1 2; do expect "$pane" "home pc changed github.example / password"; done
save 3-arrived
values=$(for device in home work mobile; do profile "$device" get github.example password; echo; done)
if [ "$(sort -u <<<"$values" | wc -l)" != 1 ] || grep -q Kestrel <<<"$values"; then
  echo "demo: the three devices do not hold one new password" >&2
  exit 1
fi
echo "work pc and mobile have it. The screens are in $out."
