import AttributeServer

/// `HOST:PORT` to listen on; IPv6 addresses stand in brackets, port 0 lets the system choose.
struct ListenAddress {
  let host: String
  let port: Int
  /// The path of a Unix socket, which takes the place of host and port; nil for those.
  let socket: String?

  /// `takesSocket`: whether `unix:PATH` will do, too.
  init(_ text: String, option: String, takesSocket: Bool = false) throws(DaemonError) {
    if takesSocket, text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard path.hasPrefix("/"), path.utf8.count <= Self.socketBytes else {
        throw .usage(
          "--\(option) unix:PATH has a path from / on, of \(Self.socketBytes) bytes at the most.")
      }
      (host, port, socket) = ("127.0.0.1", 0, path)
      return
    }
    socket = nil
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port), colon > text.startIndex
    else { throw .usage("--\(option) is HOST:PORT, for example 127.0.0.1:7480; not `\(text)`.") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.host = host
    self.port = port
  }

  /// What fits into `sockaddr_un` with its final zero.
  private static let socketBytes = 107

  /// The host as it stands in a URL.
  var urlHost: String { host.contains(":") ? "[\(host)]" : host }

  /// Where devices reach the Push Service that listens here.
  func pushURL(_ protection: Protection, port: Int) -> String {
    "\(protection.tls == nil ? "ws" : "wss")://\(urlHost):\(port)/push"
  }

  /// Where the Attribute Server reaches it. Nobody reads what stays on this machine.
  func signalsURL(_ protection: Protection, port: Int) -> String {
    "\(protection.tls == nil || isLoopback ? "http" : "https")://\(urlHost):\(port)"
  }

  var isLoopback: Bool { AttributeServer.isLoopback(host) }

  /// Only this machine, or a proxy that encrypts, may use connections that are not encrypted here.
  func require(_ protection: Protection, option: String) throws(DaemonError) {
    if isLoopback { return }
    guard case .none = protection else { return }
    throw .usage(
      """
      --\(option) \(urlHost):\(port) could be reached from other machines without encryption. \
      Listen on 127.0.0.1, give --tls-certificate and --tls-key, or put a proxy with TLS in front \
      and say --behind-proxy.
      """)
  }
}
