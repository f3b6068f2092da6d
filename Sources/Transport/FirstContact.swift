import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
public import Sync
public import Wire

/// What a server shows of itself before it is trusted.
public struct ServerIntroduction: Hashable, Sendable {
  public enum Verdict: Hashable, Sendable {
    /// The pin fits, or an authority of this machine vouches for it.
    case trusted
    /// Another key than the pin names.
    case otherKey
    case expired
    case notYetValid
    /// Good, for another name than was asked for.
    case otherHost
    /// Signed by itself, or by an authority this machine does not know.
    case unknownAuthority
  }

  /// SHA-256 of the public key (SubjectPublicKeyInfo).
  public let key: Digest32
  /// Milliseconds since 1970.
  public let validFrom: Int64
  /// Milliseconds since 1970.
  public let expiresAt: Int64
  public let verdict: Verdict

  public init(key: Digest32, validFrom: Int64, expiresAt: Int64, verdict: Verdict) {
    self.key = key
    self.validFrom = validFrom
    self.expiresAt = expiresAt
    self.verdict = verdict
  }
}

extension AttributeClient {
  /// Looks at the certificate of a server and judges it; nil over plaintext, which has none.
  ///
  /// Nothing is sent but TLS handshakes, which are broken off.
  ///
  /// - Parameters:
  ///   - pin: what the server is known by; nil where authorities are trusted.
  ///   - now: milliseconds since 1970.
  ///   - digest: SHA-256.
  public static func examine(
    _ address: ServerAddress, pin: Digest32?, now: Int64,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) async throws(ServiceFailure) -> ServerIntroduction? {
    try await examine(
      address, pin: pin, trust: .authorities(), now: now, digest: digest)
  }

  static func examine(
    _ address: ServerAddress, pin: Digest32?, trust: ServerTrust, now: Int64,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) async throws(ServiceFailure) -> ServerIntroduction? {
    guard address.isSecure else { return nil }
    do {
      let leaf = try await FirstContact.certificate(of: address)
      let key = digest(try leaf.extractPublicKey().toSPKIBytes())
      let validFrom = Int64(leaf.notValidBefore) * 1000
      let expiresAt = Int64(leaf.notValidAfter) * 1000
      let verdict: ServerIntroduction.Verdict =
        if let pin {
          pin == key ? .trusted : .otherKey
        } else if let objection = try await FirstContact.objection(to: address, trust: trust) {
          // What is wrong with the dates is the more useful thing to know.
          now > expiresAt ? .expired : now < validFrom ? .notYetValid : objection
        } else {
          .trusted
        }
      return ServerIntroduction(
        key: key, validFrom: validFrom, expiresAt: expiresAt, verdict: verdict)
    } catch {
      throw .unreachable(reason: FailureReason.text(error))
    }
  }
}

private enum FirstContact {
  private static let wait = TimeAmount.seconds(5)

  /// The server's own certificate, whoever signed it.
  static func certificate(of address: ServerAddress) async throws -> NIOSSLCertificate {
    let trust = ServerTrust.authorities(allowsTLS12: true)
    let context = try NIOSSLContext(
      configuration: try trust.tlsConfiguration(pinned: .noHostnameVerification))
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let found = loop.makePromise(of: NIOSSLCertificate.self)
    connect(to: address, on: loop, settling: found) {
      try NIOSSLClientHandler(
        context: context, serverHostname: address.literal == nil ? address.host : nil,
        customVerificationCallback: { certificates, verdict in
          found.completeWith(
            Result {
              guard let leaf = certificates.first else { throw TransportError.wrongServerKey }
              return leaf
            })
          verdict.succeed(.failed)
        })
    }
    return try await found.futureResult.get()
  }

  /// Why `trust` does not take the server's certificate; nil when it does.
  static func objection(
    to address: ServerAddress, trust: ServerTrust
  ) async throws -> ServerIntroduction.Verdict? {
    let context = try NIOSSLContext(
      configuration: try trust.tlsConfiguration(pinned: .noHostnameVerification))
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let ended = loop.makePromise(of: Void.self)
    connect(to: address, on: loop, settling: ended) {
      try NIOSSLClientHandler(
        context: context, serverHostname: address.literal == nil ? address.host : nil)
    } then: {
      try $0.pipeline.syncOperations.addHandler(HandshakeWatch(ended: ended))
    }
    do {
      try await ended.futureResult.get()
      return nil
    } catch is NIOSSLExtraError {
      return .otherHost
    } catch let error as NIOSSLError {
      guard FailureReason.isMistrust(error) else { throw error }
      return .unknownAuthority
    }
  }

  private static func connect<Value>(
    to address: ServerAddress, on loop: any EventLoop, settling promise: EventLoopPromise<Value>,
    _ tls: @escaping @Sendable () throws -> NIOSSLClientHandler,
    then more: @escaping @Sendable (any Channel) throws -> Void = { _ in }
  ) {
    let connected = ClientBootstrap(group: loop)
      .connectTimeout(wait)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(try tls())
          try more(channel)
        }
      }
      .connect(host: address.host, port: address.port)
    connected.whenFailure { promise.fail($0) }
    connected.whenSuccess { channel in
      let giveUp = loop.scheduleTask(in: wait) { channel.close(promise: nil) }
      channel.closeFuture.whenComplete { _ in
        giveUp.cancel()
        // Without effect when it is settled.
        promise.fail(
          TransportError.protocolViolation(reason: "TLS: the server does not speak TLS"))
      }
      promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
    }
  }
}

/// Tells how a handshake ended.
private final class HandshakeWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let ended: EventLoopPromise<Void>

  init(ended: EventLoopPromise<Void>) {
    self.ended = ended
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent { ended.succeed() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    ended.fail(error)
    context.close(promise: nil)
  }
}
