import NIOCore
import NIOPosix
import NIOSSL
public import Sync
public import Wire

extension AttributeClient {
  /// SHA-256 of the public key a server shows to somebody who does not trust it yet: for a person
  /// to compare, then for ``ServerTrust/pin(_:allowsTLS12:)``. nil over plaintext, which has no
  /// key.
  ///
  /// Nothing is sent to the server but a TLS handshake, which is broken off.
  public static func keyHash(
    of address: ServerAddress, digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) async throws(ServiceFailure) -> Digest32? {
    guard address.isSecure else { return nil }
    do {
      return try await FirstContact.keyHash(of: address, digest: digest)
    } catch {
      throw .unreachable(reason: FailureReason.text(error))
    }
  }
}

private enum FirstContact {
  static func keyHash(
    of address: ServerAddress, digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) async throws -> Digest32 {
    let trust = ServerTrust.authorities(allowsTLS12: true)
    let key = ServerKey(trust: trust, digest: digest)
    let context = try NIOSSLContext(
      configuration: try trust.tlsConfiguration(pinned: .noHostnameVerification))
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let found = loop.makePromise(of: Digest32.self)
    let connected = ClientBootstrap(group: loop)
      .connectTimeout(.seconds(5))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(
              context: context, serverHostname: address.literal == nil ? address.host : nil,
              customVerificationCallback: { certificates, verdict in
                found.completeWith(
                  Result {
                    guard let leaf = certificates.first else {
                      throw TransportError.wrongServerKey
                    }
                    return try key.hash(of: leaf)
                  })
                verdict.succeed(.failed)
              }))
        }
      }
      .connect(host: address.host, port: address.port)
    connected.whenFailure { found.fail($0) }
    connected.whenSuccess { channel in
      let giveUp = loop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
      channel.closeFuture.whenComplete { _ in
        giveUp.cancel()
        // Without effect when the key was seen.
        found.fail(
          TransportError.protocolViolation(reason: "TLS: the server does not speak TLS"))
      }
      found.futureResult.whenComplete { _ in channel.close(promise: nil) }
    }
    return try await found.futureResult.get()
  }
}
