import Foundation
import NIOSSL
import Sync
import Testing

@testable import Transport

/// What is said of a server's certificate before anything is sent to it.
@Suite struct IntroductionTests {
  /// 2026-11-23.
  private static let now: Int64 = 1_795_392_000_000

  private static func file(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Certificates")
    return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  /// What a call failed with; nil when it did not.
  private func failure<Answer>(_ body: () async throws -> Answer) async -> ServiceFailure? {
    do {
      _ = try await body()
      return nil
    } catch {
      return error as? ServiceFailure ?? .unintelligible("\(error)")
    }
  }

  /// A server with a certificate of `Tests/Certificates`.
  private static func server(_ name: String, key: String = "first") async throws -> TestServer {
    let chain = try NIOSSLCertificate.fromPEMBytes(file("\(name).pem"))
    let key = try NIOSSLPrivateKey(bytes: file("\(key).key"), format: .pem)
    let context = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    return try await TestServer(context: context, answer: TestAttributeServer().answer)
  }

  @Test(arguments: [
    ("first", ServerIntroduction.Verdict.trusted), ("expired", .expired),
    ("future", .notYetValid), ("elsewhere", .otherHost), ("second", .unknownAuthority),
  ])
  func aCertificateIsJudgedAndNothingIsSent(
    _ name: String, _ verdict: ServerIntroduction.Verdict
  ) async throws {
    let server = try await Self.server(name, key: name == "second" ? "second" : "first")
    // Each is an authority of its own; only the second is none that is known.
    let pems = try Self.file(name == "second" ? "first.pem" : "\(name).pem")
    let address = try ServerAddress("https://localhost:\(server.port)")
    let found = try await AttributeClient.examine(
      address, pin: nil, trust: .authorities(additional: pems), now: Self.now, digest: digest)
    #expect(found?.verdict == verdict)
    #expect(server.requests.isEmpty)
    let client = try AttributeClient.test(
      port: server.port, scheme: "https", host: "localhost", trust: .authorities(additional: pems))
    let outcome = await failure { try await client.info() }
    #expect((outcome == nil) == (verdict == .trusted), "\(String(describing: outcome))")
    #expect(server.requests.count == (verdict == .trusted ? 1 : 0))
  }

  @Test func aPinIsTheKeyWhateverTheCertificateSays() async throws {
    let first = try await Self.server("first")
    let address = try ServerAddress("https://127.0.0.1:\(first.port)")
    let known = try await AttributeClient.examine(
      address, pin: nil, now: Self.now, digest: digest)
    let key = try #require(known?.key)
    for (name, file) in [("renewed", "first"), ("expired", "first"), ("second", "second")] {
      let server = try await Self.server(name, key: file)
      let address = try ServerAddress("https://127.0.0.1:\(server.port)")
      let found = try await AttributeClient.examine(
        address, pin: key, now: Self.now, digest: digest)
      #expect(found?.verdict == (file == "first" ? .trusted : .otherKey), "\(name)")
      let client = try AttributeClient.test(
        port: server.port, scheme: "https", trust: .pin(key))
      let outcome = await failure { try await client.info() }
      #expect((outcome == nil) == (file == "first"), "\(name)")
    }
  }

  @Test func plaintextHasNothingToLookAt() async throws {
    let server = try await TestServer(answer: TestAttributeServer().answer)
    let plain = try ServerAddress("http://127.0.0.1:\(server.port)")
    #expect(
      try await AttributeClient.examine(plain, pin: nil, now: Self.now, digest: digest) == nil)
    let raw = try await RawServer(answer: Array("no TLS here".utf8))
    let other = try ServerAddress("https://127.0.0.1:\(raw.port)")
    let outcome = await failure {
      try await AttributeClient.examine(other, pin: nil, now: Self.now, digest: digest)
    }
    #expect(outcome == .unreachable(reason: "TLS: the server does not speak TLS"))
  }
}
