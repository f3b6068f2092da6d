import NIOCore
import NIOSSL
import Synchronization
public import Wire

/// Which server is believed to be the right one.
public struct ServerTrust: Sendable {
  enum Rule: Sendable {
    case authorities(additional: [UInt8]?)
    case pin(Digest32)
  }

  let rule: Rule
  let allowsTLS12: Bool

  /// A certificate for the host's name from an authority this machine trusts.
  ///
  /// - Parameter additional: PEM certificates of further authorities.
  public static func authorities(
    additional: [UInt8]? = nil, allowsTLS12: Bool = false
  ) -> ServerTrust {
    ServerTrust(rule: .authorities(additional: additional), allowsTLS12: allowsTLS12)
  }

  /// Any certificate with the public key whose SubjectPublicKeyInfo has this SHA-256 digest.
  public static func pin(_ key: Digest32, allowsTLS12: Bool = false) -> ServerTrust {
    ServerTrust(rule: .pin(key), allowsTLS12: allowsTLS12)
  }

  /// - Parameter pinned: what is left to NIOSSL when the rule is a pin. `.none` is for connections
  ///   whose key is looked at after the handshake; a verification callback is only called with
  ///   `.noHostnameVerification`.
  func tlsConfiguration(pinned: CertificateVerification) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = allowsTLS12 ? .tlsv12 : .tlsv13
    switch rule {
    case .authorities(let additional?):
      configuration.additionalTrustRoots = [
        .certificates(try NIOSSLCertificate.fromPEMBytes(additional))
      ]
    case .authorities(nil):
      break
    case .pin:
      configuration.certificateVerification = pinned
    }
    return configuration
  }
}

/// The public key the server showed on the connections so far.
///
/// A proof names this key, so a server in between cannot pass the proof on. For that, all
/// connections must show the same one: a connection that shows another is refused, and the key is
/// forgotten, so that a server that was given a new key is believed at the next attempt.
final class ServerKey: Sendable {
  private let pin: Digest32?
  private let digest: @Sendable ([UInt8]) -> Digest32
  private let seen: Mutex<Digest32?>

  init(trust: ServerTrust, digest: @escaping @Sendable ([UInt8]) -> Digest32) {
    if case .pin(let key) = trust.rule { pin = key } else { pin = nil }
    self.digest = digest
    seen = Mutex(nil)
  }

  /// nil before the first connection.
  var hash: Digest32? { pin ?? seen.withLock { $0 } }

  func hash(of certificate: NIOSSLCertificate) throws -> Digest32 {
    digest(try certificate.extractPublicKey().toSPKIBytes())
  }

  func check(_ certificate: NIOSSLCertificate) throws {
    let found = try hash(of: certificate)
    if let pin {
      guard found == pin else { throw TransportError.wrongServerKey }
      return
    }
    try seen.withLock { seen in
      guard seen == nil || seen == found else {
        seen = nil
        throw TransportError.wrongServerKey
      }
      seen = found
    }
  }

  /// Checks a connection whose handshake is over; closes it when it shows a wrong key.
  func check(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.pipeline.handler(type: NIOSSLClientHandler.self).flatMapThrowing { handler in
      guard let certificate = handler.peerCertificate else { throw TransportError.wrongServerKey }
      try self.check(certificate)
    }.flatMapErrorThrowing { error in
      channel.close(promise: nil)
      throw error
    }
  }
}
