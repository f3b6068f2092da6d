import ArgumentParser
import Foundation
import NIOSSL
import Synchronization
import Testing
import Wire

@testable import DaemonApp

/// A clock that tests move.
private final class Stopwatch: Sendable {
  let now = Mutex(Duration.zero)
}

/// The certificate of the servers, its key, and what happens when the files change.
struct CertificateTests {
  private let folder: String
  private var certificate: String { folder + "/certificate.pem" }
  private var key: String { folder + "/key.pem" }

  init() throws {
    folder = NSTemporaryDirectory() + "higginsd-certificate-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Puts files of `Tests/Certificates` in place.
  private func place(_ name: String, key keyName: String, mode: Int = 0o600) throws {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Certificates")
    for (name, path) in [("\(name).pem", certificate), ("\(keyName).key", key)] {
      try Data(contentsOf: source.appendingPathComponent(name)).write(
        to: URL(fileURLWithPath: path))
    }
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: key)
  }

  private func open(
    uptime: @escaping @Sendable () -> Duration = { .zero }
  ) throws -> ServerCertificate {
    try ServerCertificate(.init(certificate: certificate, key: key), uptime: uptime)
  }

  @Test func aRenewedCertificateOfTheSameKeyIsTheSameServer() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first")
    let read = try open()
    let before = read.facts
    #expect(try !read.reload())
    try place("renewed", key: "first")
    #expect(try read.reload())
    #expect(read.facts.keyHash == before.keyHash)
    #expect(read.facts.expiresAt > before.expiresAt)
    #expect(read.keyHashes == [before.keyHash])
  }

  @Test func anotherKeyIsShownAtOnceAndTheOldOneCountsForTenMinutes() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let time = Stopwatch()
    try place("first", key: "first")
    let read = try open(uptime: { time.now.withLock { $0 } })
    let old = read.facts.keyHash
    try place("second", key: "second")
    try read.reload()
    let new = read.facts.keyHash
    #expect(new != old)
    #expect(read.keyHashes == [new, old])
    time.now.withLock { $0 = ServerCertificate.overlap }
    #expect(read.keyHashes == [new])
  }

  @Test func aPairThatDoesNotFitLeavesTheOldOne() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first")
    let read = try open()
    let before = read.facts
    try place("second", key: "first")
    #expect(throws: DaemonError.self) { try read.reload() }
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: certificate))
    #expect(throws: DaemonError.self) { try read.reload() }
    try FileManager.default.removeItem(atPath: key)
    #expect(throws: DaemonError.self) { try read.reload() }
    #expect(read.facts == before)
    #expect(throws: DaemonError.self) { try open() }
  }

  @Test func aKeyThatAnyoneReadsIsRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first", mode: 0o644)
    #expect(throws: DaemonError.self) { try open() }
    try place("first", key: "first", mode: 0o640)
    _ = try open()
  }

  @Test func listenersSpeakNothingOlderThanTLS13() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first")
    #expect(try open().configuration()?.minimumTLSVersion == .tlsv13)
  }

  private func protection(_ arguments: String...) throws -> Protection {
    let options = try CommonOptions.parse(arguments)
    return try Protection(Settings(path: nil, environment: [:]), options)
  }

  @Test func onlyLoopbackIsListenedOnWithoutProtection() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first")
    let everywhere = try ListenAddress("0.0.0.0:1", option: "listen")
    let loopback = try ListenAddress("127.0.0.1:1", option: "listen")
    let none = try protection()
    #expect(throws: DaemonError.self) { try everywhere.require(none, option: "listen") }
    try loopback.require(none, option: "listen")
    for host in ["[::]:1", "192.0.2.1:1", "127.evil.example:1", "localhost.example:1"] {
      let address = try ListenAddress(host, option: "listen")
      #expect(throws: DaemonError.self, "\(host)") { try address.require(none, option: "listen") }
    }
    let socket = try ListenAddress("unix:/run/s", option: "listen", takesSocket: true)
    #expect(socket.socket == "/run/s" && socket.isLoopback)
    try socket.require(none, option: "listen")
    for text in ["unix:run/s", "unix:", "unix:/" + String(repeating: "a", count: 107)] {
      #expect(throws: DaemonError.self, "\(text)") {
        try ListenAddress(text, option: "listen", takesSocket: true)
      }
    }
    #expect(throws: DaemonError.self) { try ListenAddress("unix:/run/s", option: "push-listen") }
    let tls = try protection("--tls-certificate", certificate, "--tls-key", key)
    try everywhere.require(tls, option: "listen")
    #expect(tls.tls != nil)
  }

  @Test func aProxysCertificateMustBeKnownAndItsKeyStaysThere() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try place("first", key: "first")
    #expect(throws: DaemonError.self) { try protection("--behind-proxy").requireKnownKey() }
    let proxy = try protection("--behind-proxy", "--tls-certificate", certificate)
    try proxy.requireKnownKey()
    #expect(proxy.tls == nil)
    #expect(proxy.keyHashes() == [try open().facts.keyHash, .zero])
    #expect(throws: DaemonError.self) {
      try protection("--behind-proxy", "--tls-certificate", certificate, "--tls-key", key)
    }
    #expect(throws: DaemonError.self) { try protection("--tls-certificate", certificate) }
    #expect(throws: DaemonError.self) { try protection("--tls-key", key) }
  }
}
