import Foundation

/// Where a server listens: scheme, host and port of its URL, which has nothing else.
///
/// `https` goes anywhere. `http` goes to loopback only: to an address literal of 127.0.0.0/8 or
/// `::1`, or to a name that resolves to nothing else, which is looked up before each connection;
/// or, as `http+unix`, to a Unix socket, which has a path instead of a host and a port.
public struct ServerAddress: Hashable, Sendable {
  public let isSecure: Bool
  /// A name in lower case, or an address; an IPv6 address has no brackets here.
  public let host: String
  public let port: Int
  /// The path of the Unix socket; nil for a host.
  public let socket: String?
  /// What fits into `sockaddr_un` with its final zero.
  private static let socketBytes = 107

  init(isSecure: Bool, host: String, port: Int, socket: String? = nil) {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.socket = socket
  }

  /// Reads `https://HOST[:PORT]`, `http://HOST[:PORT]` or `http+unix:///PATH`.
  ///
  /// Throws ``TransportError/invalidAddress(_:reason:)`` and
  /// ``TransportError/plaintextBeyondLoopback(host:)``.
  public init(_ text: String) throws(TransportError) {
    let secure: Bool
    var rest: Substring
    let lower = text.lowercased()
    if lower.hasPrefix(Self.socketScheme) {
      let path = text.dropFirst(Self.socketScheme.count)
      guard path.hasPrefix("/"), path.utf8.count <= Self.socketBytes,
        path.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else {
        throw .invalidAddress(
          text, reason: "a socket has a path from / on, of \(Self.socketBytes) bytes at the most")
      }
      self.init(isSecure: false, host: "localhost", port: 0, socket: String(path))
      return
    }
    if lower.hasPrefix("https://") {
      (secure, rest) = (true, text.dropFirst("https://".count))
    } else if lower.hasPrefix("http://") {
      (secure, rest) = (false, text.dropFirst("http://".count))
    } else {
      throw .invalidAddress(text, reason: "it starts with https:// (or http:// for this machine)")
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    let (host, port) = try Self.split(rest, of: text, defaultPort: secure ? 443 : 80)
    self.init(isSecure: secure, host: host, port: port)
    if !secure, literal != nil, !isLoopbackLiteral { throw .plaintextBeyondLoopback(host: host) }
  }

  private static let socketScheme = "http+unix://"

  /// Parts `HOST[:PORT]`.
  static func split(
    _ text: Substring, of whole: String, defaultPort: Int
  ) throws(TransportError) -> (host: String, port: Int) {
    guard !text.contains("@") else {
      throw .invalidAddress(whole, reason: "it names no user")
    }
    guard !text.contains(where: { "/?#".contains($0) }) else {
      throw .invalidAddress(whole, reason: "nothing follows the host and the port")
    }
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else {
        throw .invalidAddress(whole, reason: "the ] is missing")
      }
      host = text[text.index(after: text.startIndex)..<end]
      let tail = text[text.index(after: end)...]
      guard tail.isEmpty || tail.hasPrefix(":") else {
        throw .invalidAddress(whole, reason: "only a port follows the ]")
      }
      port = tail.isEmpty ? nil : tail.dropFirst()
      guard isIPv6(String(host)) else {
        throw .invalidAddress(whole, reason: "there is no IPv6 address in [ ]")
      }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    return (try name(host, of: whole), try number(port, of: whole) ?? defaultPort)
  }

  private static func name(
    _ host: Substring, of whole: String
  ) throws(TransportError) -> String {
    let isAllowed = host.utf8.allSatisfy { character in
      switch character {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: character == 0x2d || character == 0x2e || character == 0x3a  // - . :
      }
    }
    guard !host.isEmpty, host.utf8.count <= 253 else {
      throw .invalidAddress(whole, reason: "the host is missing or too long")
    }
    guard isAllowed else {
      throw .invalidAddress(
        whole, reason: "a host has letters, digits, - and . (others in their xn-- form)")
    }
    return host.lowercased()
  }

  private static func number(
    _ port: Substring?, of whole: String
  ) throws(TransportError) -> Int? {
    guard let port else { return nil }
    guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
      (1...65535).contains(number)
    else { throw .invalidAddress(whole, reason: "a port is a number from 1 to 65535") }
    return number
  }

  private static func isIPv6(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET6, text, &address) == 1
  }
}

extension ServerAddress {
  enum Literal {
    case version4, version6
  }

  /// What kind of address the host is; nil for a name.
  var literal: Literal? {
    var address = in_addr()
    if inet_pton(AF_INET, host, &address) == 1 { return .version4 }
    return Self.isIPv6(host) ? .version6 : nil
  }

  var isLoopbackLiteral: Bool {
    switch literal {
    case .version4: host.hasPrefix("127.")
    case .version6:
      // An address has many spellings: compare what they mean.
      Self.bytes6(host) == Self.bytes6("::1")
    case nil: false
    }
  }

  private static func bytes6(_ text: String) -> [UInt8] {
    var address = in6_addr()
    guard inet_pton(AF_INET6, text, &address) == 1 else { return [] }
    return withUnsafeBytes(of: address) { Array($0) }
  }

  /// The same server under an address its name resolved to.
  func resolved(to host: String) -> ServerAddress {
    ServerAddress(isSecure: isSecure, host: host, port: port)
  }

  /// `HOST:PORT` as it stands in a URL and in the `Host` field.
  public var authority: String {
    guard socket == nil else { return host }
    return (literal == .version6 ? "[\(host)]" : host) + ":\(port)"
  }

  public var url: String {
    if let socket { return Self.socketScheme + socket }
    return "\(isSecure ? "https" : "http")://\(authority)"
  }
}

extension ServerAddress {
  /// What the paths of requests stand behind: a socket's path is one part of it.
  var base: String {
    guard let socket else { return url }
    let characters = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
    return Self.socketScheme
      + (socket.addingPercentEncoding(withAllowedCharacters: characters) ?? socket)
  }
}

extension ServerAddress: CustomStringConvertible {
  public var description: String { url }
}

/// Where the Push Service's WebSocket is.
struct PushAddress: Hashable, Sendable {
  let server: ServerAddress
  let path: String

  /// - Parameter text: as in `ServerInfo.push`: `ws://HOST:PORT/PATH`, `wss://…`, or `:PORT/PATH`
  ///   for the host of `attributes`, encrypted if that is.
  init(_ text: String, attributes: ServerAddress) throws(TransportError) {
    let lower = text.lowercased()
    if text.hasPrefix(":") {
      let (authority, path) = Self.part(text[...])
      let port = try ServerAddress.split("h\(authority)", of: text, defaultPort: 0).port
      // Whoever is reached by a socket is on this machine.
      let host = attributes.socket == nil ? attributes.host : "127.0.0.1"
      server = ServerAddress(isSecure: attributes.isSecure, host: host, port: port)
      self.path = try Self.check(path, of: text)
    } else if lower.hasPrefix("wss://") || lower.hasPrefix("ws://") {
      let secure = lower.hasPrefix("wss://")
      let (authority, path) = Self.part(text.dropFirst(secure ? 6 : 5))
      server = try ServerAddress("\(secure ? "https" : "http")://\(authority)")
      self.path = try Self.check(path, of: text)
    } else {
      throw .invalidAddress(text, reason: "the address of a Push Service starts with ws or a port")
    }
    guard server.isSecure || !attributes.isSecure else {
      throw .invalidAddress(text, reason: "the server is encrypted, its Push Service is not")
    }
  }

  private static func part(_ text: Substring) -> (authority: Substring, path: Substring) {
    let end = text.firstIndex(of: "/") ?? text.endIndex
    return (text[..<end], text[end...])
  }

  private static func check(_ path: Substring, of text: String) throws(TransportError) -> String {
    guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), path.utf8.count <= 256 else {
      throw .invalidAddress(text, reason: "the path has characters no path has")
    }
    return path.isEmpty ? "/" : String(path)
  }
}
