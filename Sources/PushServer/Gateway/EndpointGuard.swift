import Foundation
import Glibc
import NIOPosix

/// What the servers may be asked to connect to. A device names endpoints, so without this it could
/// have the server ask what only the server can reach (SSRF).
struct EndpointGuard: Sendable {
  /// Why an endpoint is not asked.
  struct Refusal: Error, Hashable, Sendable {
    let reason: String
  }

  /// An endpoint that may be asked, with the address that was looked at.
  struct Target: Hashable, Sendable {
    let url: String
    let host: String
    let address: String
  }

  /// 2 KiB, as much as push services use.
  static let urlBytes = 2048

  /// Hosts that may be asked: these and the names below them.
  let hosts: [String]
  /// For tests and closed networks alone: whether private addresses and other ports are asked too.
  let allowsPrivate: Bool
  /// The addresses of a host.
  let resolve: @Sendable (String) async -> [String]

  init(
    hosts: [String], allowsPrivate: Bool = false,
    resolve: @escaping @Sendable (String) async -> [String] = EndpointGuard.systemResolve
  ) {
    self.hosts = hosts
    self.allowsPrivate = allowsPrivate
    self.resolve = resolve
  }

  /// The host of an endpoint that may be asked, as far as its text shows.
  func host(of text: String) throws(Refusal) -> String {
    guard text.utf8.count <= Self.urlBytes, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
      !text.contains("\\"), let parts = URLComponents(string: text)
    else { throw Refusal(reason: "malformed URL") }
    guard parts.scheme == "https" else { throw Refusal(reason: "not https") }
    guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
      throw Refusal(reason: "user or fragment in URL")
    }
    guard parts.port == nil || parts.port == 443 || allowsPrivate else {
      throw Refusal(reason: "port is not 443")
    }
    guard let host = parts.host, Self.isName(host) else { throw Refusal(reason: "no host name") }
    // On the boundary of a label: evil-example.com is not below example.com.
    guard hosts.contains(where: { host == $0 || host.hasSuffix("." + $0) }) else {
      throw Refusal(reason: "host not allowed")
    }
    return host
  }

  /// Resolves the host and refuses it when any of its addresses is not public. The caller connects
  /// to this address and asks no resolver again, which might say something else the second time.
  ///
  /// Refusals cross as values: in optimised builds a typed error from another executor lets an
  /// actor's method go on outside its actor.
  func target(of url: String) async -> Result<Target, Refusal> {
    let host: String
    do throws(Refusal) {
      host = try self.host(of: url)
    } catch {
      return .failure(error)
    }
    let addresses = await resolve(host)
    guard let first = addresses.first else {
      return .failure(Refusal(reason: "host does not resolve"))
    }
    guard allowsPrivate || addresses.allSatisfy(Self.isPublic) else {
      return .failure(Refusal(reason: "address not public"))
    }
    return .success(Target(url: url, host: host, address: first))
  }

  /// A name of labels in lower case; numbers, however written, are no name.
  private static func isName(_ host: String) -> Bool {
    guard host.utf8.count <= 253 else { return false }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, let first = last.utf8.first, (0x61...0x7a).contains(first) else {
      return false
    }
    return labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
    }
  }

  // MARK: addresses

  /// Ranges that are nobody's in particular or somebody's own (IANA special-purpose registries).
  private static let special4: [(first: [UInt8], bits: Int)] = [
    ([0, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16), ([172, 16, 0, 0], 12), ([192, 0, 0, 0], 24), ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24), ([192, 168, 0, 0], 16), ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24), ([203, 0, 113, 0], 24), ([224, 0, 0, 0], 4), ([240, 0, 0, 0], 4),
  ]
  /// Within 2000::/3, outside which nothing is public: Teredo and other assignments of IETF
  /// protocols, documentation, 6to4 (which hides an IPv4 address), documentation again.
  private static let special6: [(first: [UInt8], bits: Int)] = [
    ([0x20, 0x01, 0x00, 0x00], 23), ([0x20, 0x01, 0x0d, 0xb8], 32), ([0x20, 0x02, 0, 0], 16),
    ([0x3f, 0xff, 0x00, 0x00], 20),
  ]

  static func isPublic(_ address: String) -> Bool {
    var four = [UInt8](repeating: 0, count: 4)
    if inet_pton(AF_INET, address, &four) == 1 {
      return !special4.contains { matches(four, $0.first, bits: $0.bits) }
    }
    var six = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, address, &six) == 1, matches(six, [0x20], bits: 3) else {
      return false
    }
    return !special6.contains { matches(six, $0.first, bits: $0.bits) }
  }

  private static func matches(_ address: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
    (0..<bits).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return address[bit / 8] & mask == prefix[bit / 8] & mask
    }
  }

  /// Asks the system's resolver, on a thread of its own as it blocks; nothing when it fails.
  static let systemResolve: @Sendable (String) async -> [String] = { host in
    do {
      return try await NIOThreadPool.singleton.runIfActive { lookUp(host) }
    } catch {
      return []
    }
  }

  private static func lookUp(_ host: String) -> [String] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0, let list else { return [] }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let status = getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      guard status == 0 else { continue }
      let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      addresses.append(String(decoding: bytes, as: UTF8.self))
    }
    return addresses
  }
}
