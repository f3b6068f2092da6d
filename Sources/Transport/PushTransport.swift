/// What carries push frames, from the best to the plainest. Below the last there is only the timed
/// sync, which needs no connection.
public enum PushTransport: String, Hashable, Sendable, CaseIterable {
  case webSocket = "websocket"
  /// Server-Sent Events, with the device's frames posted.
  case events
  case polling

  /// The next plainer one.
  var next: PushTransport? {
    switch self {
    case .webSocket: .events
    case .events: .polling
    case .polling: nil
    }
  }
}
