import Wire

/// A seat in the demo chat of a Push Service: texts in, texts out, and its end.
public struct ChatSocket: Sendable {
  public enum Event: Hashable, Sendable {
    /// What somebody said, `user@platform@device:text`; foreign, to be made safe before showing.
    case said(String)
    /// The connection is gone; nothing follows.
    case lost(reason: String)
  }

  /// Why there is no seat, in words.
  public struct Refusal: Error, Hashable, Sendable {
    public let reason: String
  }

  private let socket: PushSocket

  /// Takes a seat at `ws://HOST:PORT`, or `wss://`, with the chat's own path where none is given.
  ///
  /// `events` are called in order and may come before this returns; failures cross as values.
  public static func open(
    _ address: String, events: @escaping @Sendable (Event) -> Void
  ) async -> Result<ChatSocket, Refusal> {
    do {
      let slashes = address.split(separator: "/", omittingEmptySubsequences: true).count
      let bare = address.hasSuffix("/") ? String(address.dropLast()) : address
      let whole = slashes <= 2 ? bare + Route.chat : address
      let local = try ServerAddress("http://127.0.0.1")
      let target = try PushAddress(whole, attributes: local)
      let socket = try await PushSocket.open(
        target, trust: target.server.isSecure ? .authorities() : nil, key: nil
      ) { event in
        switch event {
        case .text(let text): events(.said(String(decoding: text, as: UTF8.self)))
        case .lost(let reason), .blocked(let reason): events(.lost(reason: reason))
        case .frame, .heard: break
        }
      }
      return .success(ChatSocket(socket: socket))
    } catch {
      return .failure(Refusal(reason: FailureReason.text(error)))
    }
  }

  /// Sends `[secret#]user@platform@device:text`; a failure is told as a loss.
  public func send(_ message: String) { socket.send(Array(message.utf8)) }

  public func close() { socket.close() }
}
