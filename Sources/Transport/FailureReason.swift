import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Says in words why a connection failed.
enum FailureReason {
  static func text(_ error: any Error) -> String {
    switch error {
    case let error as TransportError: error.description
    case let error as HTTPClientError: text(error)
    case let error as NIOConnectionError: text(error)
    case let error as IOError: text(code: error.errnoCode)
    case let error as NIOSSLError: text(error)
    case is NIOSSLExtraError: "TLS: the certificate is for another host"
    case ChannelError.connectTimeout: "timed out"
    case is ChannelError: "the server closed the connection"
    case HTTPParserError.invalidEOFState: "the server closed the connection"
    case is HTTPParserError: "the answer is not HTTP"
    case is NIOTooManyBytesError: "the answer is too long"
    case is CancellationError: "cancelled"
    default: "failed (\(type(of: error)))"
    }
  }

  /// Whether no connection came about, so that nothing can have been sent.
  static func isBeforeConnection(_ error: any Error) -> Bool {
    error is NIOConnectionError || (error as? IOError)?.errnoCode == ECONNREFUSED
      || error as? HTTPClientError == .connectTimeout
  }

  /// Whether the handshake ended because the certificate is not trusted.
  static func isMistrust(_ error: NIOSSLError) -> Bool {
    switch error {
    case .handshakeFailed(let cause): "\(cause)".contains("CERTIFICATE_VERIFY_FAILED")
    case .unableToValidateCertificate, .noCertificateToValidate: true
    default: false
    }
  }

  private static func text(_ error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .tlsHandshakeTimeout,
      .getConnectionFromPoolTimeout:
      "timed out"
    case .remoteConnectionClosed: "the server closed the connection"
    case .cancelled, .alreadyShutdown: "cancelled"
    default: error.shortDescription
    }
  }

  private static func text(_ error: NIOConnectionError) -> String {
    guard let first = error.connectionErrors.first else { return "no such host" }
    // Of several addresses, the one that says most: a refusal means somebody is there.
    let texts = error.connectionErrors.map { text($0.error) }
    return texts.first { $0 == "connection refused" } ?? text(first.error)
  }

  private static func text(code: CInt) -> String {
    switch code {
    case ECONNREFUSED: "connection refused"
    case ETIMEDOUT: "timed out"
    case ENETUNREACH, ENETDOWN: "no network"
    case EHOSTUNREACH, EHOSTDOWN: "the host cannot be reached"
    case ECONNRESET, EPIPE: "the server closed the connection"
    default: "the network failed (code \(code))"
    }
  }

  private static func text(_ error: NIOSSLError) -> String {
    switch error {
    case _ where isMistrust(error): "TLS: the certificate is not trusted"
    case .handshakeFailed(let cause) where "\(cause)".contains("WRONG_VERSION_NUMBER"):
      "TLS: the server does not speak TLS"
    case .handshakeFailed(let cause)
    where "\(cause)".contains("PROTOCOL_VERSION") || "\(cause)".contains("UNSUPPORTED_PROTOCOL"):
      "TLS: the server speaks only an old version"
    case .uncleanShutdown: "the server closed the connection"
    default: "TLS: the handshake failed"
    }
  }
}
