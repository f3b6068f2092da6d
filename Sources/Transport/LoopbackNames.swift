import Foundation

/// Looks up names that plaintext may go to.
enum LoopbackNames {
  /// The addresses of `server`, which `http` may go to: the host itself when it is a literal.
  ///
  /// Throws ``TransportError/plaintextBeyondLoopback(host:)`` when the name has any address that is
  /// not loopback: which of them a connection would take is not ours to say.
  static func addresses(of server: ServerAddress) async throws -> [ServerAddress] {
    guard !server.isSecure, server.literal == nil, server.socket == nil else { return [server] }
    let found = try await lookUp(server.host).map { server.resolved(to: $0) }
    guard !found.isEmpty else { throw TransportError.noSuchHost(server.host) }
    guard found.allSatisfy(\.isLoopbackLiteral) else {
      throw TransportError.plaintextBeyondLoopback(host: server.host)
    }
    return found
  }

  /// `getaddrinfo` may wait for the network, so it gets a thread of its own.
  private static func lookUp(_ name: String) async throws -> [String] {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try resolve(name) })
      }
    }
  }

  private static func resolve(_ name: String) throws -> [String] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &list) == 0 else { throw TransportError.noSuchHost(name) }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next {
      if let text = text(of: entry.pointee), !addresses.contains(text) { addresses.append(text) }
      next = entry.pointee.ai_next
    }
    return addresses
  }

  private static func text(of entry: addrinfo) -> String? {
    var host = [UInt8](repeating: 0, count: Int(NI_MAXHOST))
    let result = host.withUnsafeMutableBytes { buffer in
      getnameinfo(
        entry.ai_addr, entry.ai_addrlen,
        buffer.baseAddress?.assumingMemoryBound(to: CChar.self), socklen_t(buffer.count), nil, 0,
        NI_NUMERICHOST)
    }
    guard result == 0 else { return nil }
    return String(decoding: host.prefix { $0 != 0 }, as: UTF8.self)
  }
}
