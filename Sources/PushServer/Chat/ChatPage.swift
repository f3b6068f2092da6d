/// The chat in a browser: three small files without anything from elsewhere.
enum ChatPage {
  /// Nothing but what comes from here runs or is asked.
  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  static let html = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Higgins: push chat</title>
    <link rel="stylesheet" href="chat.css">
    </head>
    <body>
    <h1>Push chat</h1>
    <form id="join">
    <label>Name <input id="user" maxlength="64" required autocomplete="off"></label>
    <label>Platform <input id="platform" maxlength="64" required value="web"></label>
    <label>Device <input id="device" maxlength="64" required></label>
    <label>Secret <input id="secret" type="password" autocomplete="off"></label>
    <button>Join</button>
    </form>
    <p id="state" role="status">Not connected.</p>
    <ol id="messages" aria-live="polite"></ol>
    <form id="say" hidden>
    <label>Message <input id="text" maxlength="2000" autocomplete="off"></label>
    <button>Send</button>
    </form>
    <script src="chat.js"></script>
    </body>
    </html>
    """

  static let style = """
    body {
      font: 1rem/1.5 system-ui, sans-serif;
      max-width: 42rem; margin: 2rem auto; padding: 0 1rem;
    }
    form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; }
    label { display: grid; }
    #messages { list-style: none; padding: 0; min-height: 12rem; }
    #messages b { margin-right: 0.5rem; }
    """

  static let script = """
    "use strict";
    const byId = (id) => document.getElementById(id);
    const names = ["user", "platform", "device"];
    byId("device").value = String(Math.floor(Math.random() * 1e8)).padStart(8, "0");
    let socket = null;
    let waits = 0;

    function sender() {
      return names.map((name) => byId(name).value.replace(/[@#:]/g, "_")).join("@");
    }

    function show(line) {
      const colon = line.indexOf(":");
      const item = document.createElement("li");
      const who = document.createElement("b");
      who.textContent = line.slice(0, colon);
      item.append(who, document.createTextNode(line.slice(colon + 1)));
      byId("messages").append(item);
    }

    function state(text) { byId("state").textContent = text; }

    function connect() {
      const address = new URL("async/", location.href);
      address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
      socket = new WebSocket(address);
      state("Connecting.");
      socket.onopen = () => {
        waits = 0;
        const secret = byId("secret").value;
        socket.send((secret ? secret + "#" : "") + sender() + ": has joined!");
        state("Connected.");
        byId("say").hidden = false;
        byId("text").focus();
      };
      socket.onmessage = (event) => show(event.data);
      socket.onclose = (event) => {
        byId("say").hidden = true;
        if (event.code === 1008) { state("Refused: the secret or a name is wrong."); return; }
        const wait = Math.random() * Math.min(30000, 500 * 2 ** waits++);
        state("Not connected; trying again.");
        setTimeout(connect, wait);
      };
    }

    byId("join").onsubmit = (event) => {
      event.preventDefault();
      byId("join").hidden = true;
      connect();
    };
    byId("say").onsubmit = (event) => {
      event.preventDefault();
      const text = byId("text").value;
      if (text) socket.send(sender() + ":" + text);
      byId("text").value = "";
    };
    """
}
