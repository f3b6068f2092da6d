/// What to do about a connection that fails, by the words that say why.
///
/// The table stands beside ``FailureReason``'s: each of its texts has a line here.
public enum Cure {
  /// A sentence for the person at the selector; nil where the reason says it all.
  public static func of(_ reason: String) -> String? {
    table.first { reason.contains($0.reason) }?.cure
  }

  static let table: [(reason: String, cure: String)] = [
    ("connection refused", "Start higginsd there, or correct host and port."),
    ("no such host", "Correct the name, or see whether this machine finds others by name."),
    ("timed out", "See whether a firewall stands between, and whether the server is busy."),
    ("no network", "Connect this machine to the network."),
    ("the host cannot be reached", "Connect this machine to the network of the server."),
    (
      "the server closed the connection",
      "Look into the log of higginsd, or of the proxy before it."
    ),
    ("a proxy answers for the server", "The proxy runs, higginsd behind it does not: start it."),
    ("TLS: the server does not speak TLS", "Give higginsd --tls-certificate and --tls-key."),
    ("TLS: the server speaks only an old version", "Allow TLS 1.3 at the server or its proxy."),
    ("TLS: the certificate is not trusted", "See the line on TLS."),
    ("TLS: the certificate is for another host", "See the line on TLS."),
    ("TLS: the server has another key than expected", "See the line on TLS."),
    ("TLS: the handshake failed", "Look into the log of higginsd, or of the proxy before it."),
    (
      "takes no WebSocket",
      "Have the proxy pass on Upgrade and Connection for the path of the Push Service."
    ),
    ("is not this machine, and http is not encrypted", "Use the server's https:// address."),
    ("the answer is not HTTP", "Another program listens there: correct the port."),
    ("sends elsewhere", "Use the address it sends to, if it is the server's."),
    ("the server has no Push Service", "Start higginsd with `serve`, or give it --push-url."),
    ("another Attribute Server answers there", "Correct the address; this device knows another."),
    ("does not read", "Another program listens there, or another version of higginsd."),
    ("without a problem", "Another program listens there, or a proxy: correct the address."),
  ]
}
