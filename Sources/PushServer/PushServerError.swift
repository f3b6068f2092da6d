import Foundation
import NIOCore

/// Why the Push Service cannot start.
public enum PushServerError: Error, Hashable, Sendable {
  case cannotListen(address: String, reason: String)
  case cannotOpenChannels(path: String, reason: String)

  init(host: String, port: Int, _ error: any Error) {
    let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    self = .cannotListen(address: "\(host):\(port)", reason: reason)
  }
}

extension PushServerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cannotListen(let address, let reason):
      "Cannot listen on \(address): \(reason). Stop what uses it, or choose another address."
    case .cannotOpenChannels(let path, let reason):
      "The channels of sleeping devices cannot be read from \(path): \(reason)."
    }
  }
}
