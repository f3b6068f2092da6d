import Access
import AttributeServer
import Foundation
import Logging
import PushServer
import Wire

extension PushOptions {
  func configuration(
    _ settings: Settings, _ listen: Addresses, _ protection: Protection, serviceKey: String,
    tokens: any TokenChecker,
    revocations: @escaping @Sendable (UInt64?) async throws -> SignedRevocations,
    channels: String? = nil, logger: Logger
  ) throws(DaemonError) -> PushConfiguration {
    let origins = (settings.text("allowed-origins", allowedOrigins) ?? "")
      .split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let clock = ServerClock.system
    let gateways = try settings.text("gateways", gateways).map { path throws(DaemonError) in
      try GatewayFile.configuration(path, channels: channels)
    }
    return PushConfiguration(
      deviceHost: listen.devices.host, devicePort: listen.devices.port,
      signalHost: listen.signals.host, signalPort: listen.signals.port, serviceKey: serviceKey,
      tokens: tokens, revocations: revocations, allowedOrigins: Set(origins),
      // Without TLS a proxy stands before it, and everybody comes from there.
      connectionsPerAddress: protection.tls == nil ? nil : PushConfiguration.usualPerAddress,
      echoes: try settings.flag("echo", echo),
      chat: try chat(settings, listen), tls: protection.tls,
      protectsSignals: !listen.signals.isLoopback, now: clock.now, uptime: clock.uptime,
      logger: logger, gateways: gateways)
  }

  private func chat(
    _ settings: Settings, _ listen: Addresses
  ) throws(DaemonError) -> PushConfiguration.Chat? {
    let speaksHixie75 = try settings.flag("hixie-75", hixie75)
    guard try settings.flag("chat-demo", chatDemo) else {
      guard !speaksHixie75 else { throw .usage("--hixie-75 is for the chat: add --chat-demo.") }
      return nil
    }
    guard !speaksHixie75 || listen.devices.isLoopback else {
      throw .usage("--hixie-75 protects nobody; it needs --push-listen on a loopback address.")
    }
    let secret = try settings.text("chat-secret-file", chatSecretFile).map(SecretKey.firstLine)
    return PushConfiguration.Chat(secret: secret, speaksHixie75: speaksHixie75)
  }

  /// Checks push tokens with the keys another process publishes.
  func verifier(attributesURL url: String) -> RefreshingVerifier {
    RefreshingVerifier(audience: .push) { try await PublishedKeys.read(from: url) }
  }
}

/// The key that lets the Attribute Server send signals.
enum SecretKey {
  /// 32 characters keep guessing out of the question even for a key somebody typed.
  private static let shortest = 32

  /// 256 random bits.
  static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let part = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
      return String(repeating: "0", count: 16 - part.count) + part
    }.joined()
  }

  /// The first line of the file, which nobody else may read.
  static func read(_ path: String?) throws(DaemonError) -> String {
    guard let path else {
      throw .usage("--service-key-file is missing: the key both servers share.")
    }
    let key = try firstLine(path)
    guard key.count >= shortest else {
      throw .usage("The key in \(path) is shorter than \(shortest) characters.")
    }
    return key
  }

  /// The first line of a file that nobody else may read.
  static func firstLine(_ path: String) throws(DaemonError) -> String {
    try text(path).split(separator: "\n").first.map(String.init) ?? ""
  }

  /// All of a file that nobody else may read.
  static func text(_ path: String) throws(DaemonError) -> String {
    let text: String
    let permissions: Int
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      permissions = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
    } catch {
      throw .usage("The file \(path) cannot be read.")
    }
    guard permissions & 0o077 == 0 else {
      throw .usage("Others can read \(path); run `chmod 600 \(path)`.")
    }
    return text
  }
}

/// Says where the servers listen: one line in the log, and the ready file.
struct ReadyAnnouncement: Sendable {
  let path: String?
  let listen: ListenAddress?
  let logger: Logger
  let protection: Protection
  let push: String?
  let signals: String?

  func write(port: Int?) throws(DaemonError) {
    var attributes: String?
    if let listen, let port {
      attributes =
        listen.socket.map { "http+unix://\($0)" }
        ?? "\(protection.tls == nil ? "http" : "https")://\(listen.urlHost):\(port)"
    }
    var facts: Logger.Metadata = [:]
    if let attributes { facts["attributes"] = "\(attributes)" }
    if let push { facts["push"] = "\(push)" }
    if let signals { facts["signals"] = "\(signals)" }
    let key = protection.certificate?.facts.keyHash.fingerprint
    if let key { facts["key"] = "\(key)" }
    logger.info("Listening", metadata: facts)
    try ReadyFile(attributes: attributes, push: push, signals: signals, key: key).write(to: path)
  }
}

/// Turns the errors of the servers, which are written for people, into the end of the process.
func failing<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as AttributeServerError {
    throw DaemonError(error)
  } catch let error as PushServerError {
    throw DaemonError.failed("\(error)")
  }
}

func failing<Value>(_ body: () async throws -> Value) async throws -> Value {
  do {
    return try await body()
  } catch let error as AttributeServerError {
    throw DaemonError(error)
  } catch let error as PushServerError {
    throw DaemonError.failed("\(error)")
  }
}
