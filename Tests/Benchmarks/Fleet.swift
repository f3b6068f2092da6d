import Foundation
import Glibc
import Vault
import Wire

/// A device of the fleet: its keys, its token, and one connection that stays open.
///
/// `@unchecked Sendable`: a member is used by the one thread that holds its account, or by none.
final class FleetMember: @unchecked Sendable {
  let keyring: Keyring
  let authenticationKey: AuthenticationKey
  let connection: PlainConnection
  var memberHead = Digest32.zero
  private var token = ""
  private var generation: String?
  private var head = Head(sequence: 0, hash: .zero)
  private var frontier = Frontier()
  private var entropy = SodiumEntropy()

  init(keyring: Keyring, authenticationKey: AuthenticationKey, connection: PlainConnection) {
    self.keyring = keyring
    self.authenticationKey = authenticationKey
    self.connection = connection
  }

  /// Challenge, signature, token; over plaintext there is no server key to sign with.
  func signIn() throws {
    let challenge: ChallengeResponse = try connection.post(
      Route.challenge, ChallengeRequest(device: keyring.device))
    let proof = AuthenticationProof.signedBytes(
      instance: challenge.instance, serverKeyHash: .zero, action: .token,
      audiences: [.attributes], challenge: challenge.challenge.bytes)
    let response: TokenResponse = try connection.post(
      Route.token,
      TokenRequest(
        device: keyring.device, challenge: challenge.challenge, audiences: [.attributes],
        clientTime: Int64(Date().timeIntervalSince1970 * 1000),
        signature: authenticationKey.sign(proof)))
    token = response.grants.first?.token ?? ""
  }

  func append(_ record: MembershipRecord, after head: Digest32) throws {
    let _: MembershipResponse = try connection.post(
      Route.membership,
      MembershipRequest(expectedHead: head, record: Blob(record.bytes)), token: token)
  }

  /// Commits of about the size of one changed password, sealed but not sent.
  func seal(_ count: Int) throws -> [Envelope] {
    try (0..<count).map { _ in
      let envelope = try keyring.sealCommit(
        [UInt8](repeating: 0x20, count: 400), kind: .data, sequence: head.sequence + 1,
        previous: head.hash, memberHead: memberHead, dependencies: Frontier(), entropy: &entropy)
      head = Head(sequence: head.sequence + 1, hash: envelope.hash)
      return envelope
    }
  }

  /// One round trip; how many commits came.
  @discardableResult
  func sync(_ envelopes: [Envelope] = []) throws -> Int {
    let answer: SyncResponse = try connection.post(
      Route.sync,
      SyncRequest(
        generation: generation, frontier: frontier, memberHead: memberHead,
        frames: envelopes.map { Blob($0.bytes) }), token: token)
    generation = answer.generation
    guard answer.outcomes.allSatisfy({ $0.status == .accepted }) else {
      throw BenchError.failed("a commit of the fleet was not accepted")
    }
    if !answer.more { frontier = answer.serverFrontier }
    return answer.frames.count
  }
}

/// HTTP/1.1 to a port of this machine, one request after the other on one connection: what a
/// client costs beside the server is to be little.
final class PlainConnection {
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  /// - Parameter source: the last two numbers of the address in 127.0.0.0/8 it comes from, as
  ///   devices come from many.
  init(port: UInt16, source: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var isOn: Int32 = 1
    // IPPROTO_TCP and TCP_NODELAY.
    setsockopt(descriptor, 6, 1, &isOn, socklen_t(MemoryLayout<Int32>.size))
    var (own, server) = (sockaddr_in(), sockaddr_in())
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = (UInt32(0x7f01_0001) + UInt32(source)).bigEndian
    server.sin_family = sa_family_t(AF_INET)
    server.sin_port = port.bigEndian
    server.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    guard Self.address(&own, { bind(descriptor, $0, $1) }) == 0,
      Self.address(&server, { connect(descriptor, $0, $1) }) == 0
    else {
      close(descriptor)
      throw BenchError.failed("the server cannot be reached: errno \(errno)")
    }
  }

  deinit { close(descriptor) }

  private static func address(
    _ address: inout sockaddr_in, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  func post<Answer: Decodable>(
    _ path: String, _ body: some Encodable, token: String? = nil
  ) throws -> Answer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    let body = Array(try encoder.encode(body))
    var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += "Content-Length: \(body.count)\r\n"
    if let token { head += "Authorization: Bearer \(token)\r\n" }
    try write(Array((head + "\r\n").utf8) + body)
    let (status, answer) = try read()
    guard (200..<300).contains(status) else {
      throw BenchError.failed("\(path): \(status) \(String(decoding: answer, as: UTF8.self))")
    }
    return try JSONDecoder().decode(Answer.self, from: Data(answer))
  }

  private func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { throw BenchError.failed("the server hung up") }
      rest = rest.dropFirst(sent)
    }
  }

  private func read() throws -> (status: Int, body: [UInt8]) {
    let end = Array("\r\n\r\n".utf8)
    while buffer.firstRange(of: end) == nil { try fill() }
    guard let range = buffer.firstRange(of: end) else { throw BenchError.failed("no answer") }
    let lines = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
      .split(separator: "\r\n")
    let length = lines.lazy.map { $0.lowercased() }.first { $0.hasPrefix("content-length:") }
      .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
    guard let length, let status = lines.first?.split(separator: " ").dropFirst().first,
      let status = Int(status)
    else { throw BenchError.failed("an answer without a length") }
    buffer.removeFirst(range.upperBound)
    while buffer.count < length { try fill() }
    defer { buffer.removeFirst(length) }
    return (status, Array(buffer.prefix(length)))
  }

  private func fill() throws {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count > 0 else { throw BenchError.failed("the server hung up") }
    buffer += bytes.prefix(count)
  }
}
