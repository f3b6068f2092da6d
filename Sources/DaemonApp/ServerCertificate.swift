import Crypto
import Dispatch
import Foundation
import Logging
import NIOCore
import NIOSSL
import Synchronization
import Wire

/// The certificate that devices see, and its private key: read at the start, and again on SIGHUP
/// and when a file has changed.
///
/// Connections that are open go on with the certificate they began with; new ones get the new. A
/// pair that does not read or does not fit together is not taken: the old one stays.
final class ServerCertificate: Sendable {
  struct Paths: Sendable {
    /// PEM, the server's own certificate first.
    let certificate: String
    /// PEM. Nil: a proxy has it, and only the certificate's public key is of interest.
    let key: String?
  }

  struct Facts: Sendable, Equatable {
    /// SHA-256 of the SubjectPublicKeyInfo.
    let keyHash: Digest32
    /// Milliseconds since 1970.
    let expiresAt: Int64
  }

  private struct Pair: Sendable {
    let files: [Digest32]
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey?
    let facts: Facts
  }

  private struct State {
    var current: Pair
    /// What connections made before the last change show, and until when that counts in proofs.
    var previous: (hash: Digest32, until: Duration)?
  }

  /// 256 KiB: a chain of certificates takes a few.
  private static let fileBytes = 256 * 1024
  /// How long proofs may name the key of before: longer than a connection stays idle.
  static let overlap = Duration.seconds(600)
  /// 14 days: a renewal that fails is noticed while there is time to repair it.
  static let warningMilliseconds: Int64 = 14 * 86_400_000
  private static let watchInterval = DispatchTimeInterval.seconds(60)

  let paths: Paths
  private let uptime: @Sendable () -> Duration
  private let state: Mutex<State>

  /// Throws ``DaemonError/usage(_:)`` with what is wrong with the files.
  init(_ paths: Paths, uptime: @escaping @Sendable () -> Duration) throws(DaemonError) {
    self.paths = paths
    self.uptime = uptime
    state = Mutex(State(current: try Self.read(paths), previous: nil))
  }

  var facts: Facts { state.withLock { $0.current.facts } }

  /// What proofs of devices may name: the key, and for a while the one before.
  var keyHashes: [Digest32] {
    let now = uptime()
    return state.withLock { state in
      let previous = state.previous.flatMap { now < $0.until ? $0.hash : nil }
      return [state.current.facts.keyHash] + (previous.map { [$0] } ?? [])
    }
  }

  /// What listeners show; each handshake looks up the newest pair. TLS 1.3 and nothing older.
  func configuration() -> TLSConfiguration? {
    let first = state.withLock { $0.current }
    guard let key = first.key else { return nil }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: first.chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv13
    configuration.sslContextCallback = { _, promise in
      let newest = self.state.withLock { $0.current }
      var change = NIOSSLContextConfigurationOverride()
      change.certificateChain = newest.chain.map { .certificate($0) }
      change.privateKey = newest.key.map { .privateKey($0) }
      promise.succeed(change)
    }
    return configuration
  }

  /// Reads the files again; whether something had changed.
  @discardableResult
  func reload() throws(DaemonError) -> Bool {
    let found = try Self.read(paths)
    let until = uptime() + Self.overlap
    return state.withLock { state in
      guard found.files != state.current.files else { return false }
      if found.facts.keyHash != state.current.facts.keyHash {
        state.previous = (state.current.facts.keyHash, until)
      }
      state.current = found
      return true
    }
  }

  // MARK: reading

  private static func read(_ paths: Paths) throws(DaemonError) -> Pair {
    let certificate = try bytes(paths.certificate)
    let chain: [NIOSSLCertificate]
    let hash: Digest32
    do {
      chain = try NIOSSLCertificate.fromPEMBytes(certificate)
      guard let leaf = chain.first else { throw NIOSSLError.failedToLoadCertificate }
      hash = try digest(leaf.extractPublicKey().toSPKIBytes())
    } catch {
      throw .usage("\(paths.certificate) holds no certificate in PEM.")
    }
    var files = [digest(certificate)]
    var key: NIOSSLPrivateKey?
    if let path = paths.key {
      try refuseWhatAnyoneReads(path)
      var text = try bytes(path)
      defer {
        text.withUnsafeMutableBytes { buffer in
          if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
        }
      }
      files.append(digest(text))
      do {
        key = try NIOSSLPrivateKey(bytes: text, format: .pem)
      } catch {
        throw .usage("\(path) holds no private key in PEM.")
      }
      try check(chain, key, paths)
    }
    let expiry = Int64(chain.first?.notValidAfter ?? 0) * 1000
    return Pair(
      files: files, chain: chain, key: key, facts: Facts(keyHash: hash, expiresAt: expiry))
  }

  /// A context is made of no pair that does not fit together.
  private static func check(
    _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey?, _ paths: Paths
  ) throws(DaemonError) {
    guard let key else { return }
    do {
      _ = try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    } catch {
      throw .usage("The key in \(paths.key ?? "") is not that of \(paths.certificate).")
    }
  }

  private static func bytes(_ path: String) throws(DaemonError) -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw .usage("The file \(path) cannot be read.")
    }
    defer {
      // It was only read.
      try? file.close()
    }
    do {
      let data = try file.read(upToCount: fileBytes + 1) ?? Data()
      guard data.count <= fileBytes else {
        throw DaemonError.usage("\(path) is longer than \(fileBytes) bytes.")
      }
      return Array(data)
    } catch let error as DaemonError {
      throw error
    } catch {
      throw .usage("The file \(path) cannot be read.")
    }
  }

  /// A group may read the key, as distributions arrange it; everybody may not.
  private static func refuseWhatAnyoneReads(_ path: String) throws(DaemonError) {
    let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let mode: NSNumber?
    do {
      mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
    } catch {
      throw .usage("The file \(path) cannot be read.")
    }
    guard let mode, mode.intValue & 0o007 == 0 else {
      throw .usage("Anyone can read \(path); run `chmod 640 \(path)`.")
    }
  }

  private static func digest(_ bytes: [UInt8]) -> Digest32 {
    Digest32(bytes: Array(SHA256.hash(data: bytes))) ?? .zero
  }
}

extension ServerCertificate {
  /// Reads the files again on SIGHUP, and when they have changed, until the task is cancelled.
  func watch(logger: Logger) async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let queue = DispatchQueue(label: "higginsd.certificate")
    // The source sees it; the default action would end the process.
    signal(SIGHUP, SIG_IGN)
    let hangup = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
    hangup.setEventHandler { continuation.yield() }
    hangup.resume()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + Self.watchInterval, repeating: Self.watchInterval)
    timer.setEventHandler { continuation.yield() }
    timer.resume()
    var warnedAt: Int64?
    warn(&warnedAt, logger: logger)
    for await _ in stream {
      reload(logger: logger)
      warn(&warnedAt, logger: logger)
    }
    hangup.cancel()
    timer.cancel()
  }

  private func reload(logger: Logger) {
    do {
      guard try reload() else { return }
      logger.info("New certificate", metadata: ["key": "\(facts.keyHash.fingerprint)"])
    } catch {
      logger.error(
        "The new certificate was not taken; the old one stays", metadata: ["reason": "\(error)"])
    }
  }

  /// Says once a day that the certificate ends soon.
  private func warn(_ last: inout Int64?, logger: Logger) {
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    let left = facts.expiresAt - now
    guard left < Self.warningMilliseconds, now - (last ?? 0) >= 86_400_000 else { return }
    last = now
    logger.warning(
      left < 0 ? "The certificate has expired" : "The certificate expires soon",
      metadata: ["days": "\(left / 86_400_000)"])
  }
}
