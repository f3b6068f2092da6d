import AttributeServer

/// `HOST:PORT` to listen on; IPv6 addresses stand in brackets, port 0 lets the system choose.
struct ListenAddress {
  let host: String
  let port: Int

  init(_ text: String, option: String) throws(DaemonError) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port), colon > text.startIndex
    else { throw .usage("--\(option) is HOST:PORT, for example 127.0.0.1:7480; not `\(text)`.") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.host = host
    self.port = port
  }

  /// The host as it stands in a URL.
  var urlHost: String { host.contains(":") ? "[\(host)]" : host }

  var isLoopback: Bool { AttributeServer.isLoopback(host) }

  /// Connections are not encrypted here: only this machine, or a proxy that encrypts, may use them.
  func require(behindProxy: Bool, option: String) throws(DaemonError) {
    guard isLoopback || behindProxy else {
      throw .usage(
        """
        --\(option) \(urlHost):\(port) could be reached from other machines without encryption. \
        Listen on 127.0.0.1, or put a proxy with TLS in front and say --behind-proxy.
        """)
    }
  }
}
