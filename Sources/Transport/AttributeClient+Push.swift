public import Sync
public import Wire

extension AttributeClient {
  /// Opens the Push Service's WebSocket, as far as the upgrade, and closes it again; its URL.
  ///
  /// No token is sent. It shows whether what stands in between lets a WebSocket through.
  public func examinePush(_ info: ServerInfo) async throws(ServiceFailure) -> String {
    guard let text = info.push else {
      throw .unintelligible("the server has no Push Service")
    }
    do {
      let push = try PushAddress(text, attributes: address)
      let socket = try await PushSocket.open(
        push, trust: pushTrust(push), key: pushKey(push), events: { _ in })
      socket.close()
      return push.url
    } catch {
      throw .unreachable(reason: FailureReason.text(error))
    }
  }

  /// A pin names the Attribute Server's key: it counts on the same host, where the Push Service has
  /// the same certificate. Elsewhere authorities count. Nil over plaintext.
  func pushTrust(_ push: PushAddress) -> ServerTrust? {
    guard push.server.isSecure else { return nil }
    guard push.server.host != address.host, case .pin = http.trust.rule else { return http.trust }
    return .authorities(allowsTLS12: http.trust.allowsTLS12)
  }

  /// For the transports of push that are made of requests, with the same trust.
  func pushRequests(_ push: PushAddress) throws -> HTTPTransport {
    if push.server == address { return http }
    return try HTTPTransport(
      address: push.server, trust: pushTrust(push) ?? .authorities(), timing: http.timing,
      digest: http.digest)
  }

  func pushKey(_ push: PushAddress) -> ServerKey? {
    push.server.host == address.host ? http.pinnedKey : nil
  }
}

extension PushAddress {
  var url: String {
    "\(server.isSecure ? "wss" : "ws")://\(server.authority)\(path)"
  }
}
