/// Why a connection was not made or not kept.
///
/// Calls of ``AttributeClient`` tell these, in words, as `ServiceFailure`.
public enum TransportError: Error, Hashable, Sendable {
  /// `reason` says what is wrong with the text of an address.
  case invalidAddress(String, reason: String)
  /// Plaintext would leave this machine.
  case plaintextBeyondLoopback(host: String)
  case noSuchHost(String)
  /// The server has another key than the pin names, or than it had a moment ago.
  case wrongServerKey
  /// The other side broke the rules of the protocol; `reason` says which.
  case protocolViolation(reason: String)
  case timedOut
  /// The server, or a proxy before it, answered `status` to the upgrade; nil: no answer was read.
  case upgradeRefused(status: UInt?)
}

extension TransportError: CustomStringConvertible {
  /// The reason of a `ServiceFailure` where the server shows another key than its pin.
  public static let otherKey = "TLS: the server has another key than expected"

  public var description: String {
    switch self {
    case .invalidAddress(let text, let reason):
      "\"\(text)\" is no server address: \(reason)"
    case .plaintextBeyondLoopback(let host):
      "\(host) is not this machine, and http is not encrypted: use https"
    case .noSuchHost: "no such host"
    case .wrongServerKey: Self.otherKey
    case .protocolViolation(let reason): reason
    case .timedOut: "timed out"
    case .upgradeRefused(let status?):
      "the server, or a proxy before it, answered \(status) to Upgrade"
    case .upgradeRefused: "the server, or a proxy before it, takes no WebSocket"
    }
  }
}
