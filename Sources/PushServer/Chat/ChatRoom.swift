import Crypto

/// Everybody in the chat, on the node's event loop. What one says all get, the sender included.
final class ChatRoom {
  /// More than these would be no demo any more.
  static let seats = 256
  private static let messagesPerTick = 20
  /// Messages a participant may miss while reading too slowly.
  private static let missesAllowed = 64

  private struct Participant {
    let line: any ChatLine
    var hasSpoken = false
    var messages = 0
    var misses = 0
  }

  /// The digest of the secret; nil lets everybody in.
  private let secret: [UInt8]?
  private var participants: [ObjectIdentifier: Participant] = [:]

  init(secret: String?) {
    self.secret = secret.map(Self.digest)
  }

  var isFull: Bool { participants.count >= Self.seats }

  func enter(_ line: any ChatLine) {
    participants[ObjectIdentifier(line)] = Participant(line: line)
  }

  func leave(_ line: any ChatLine) {
    participants[ObjectIdentifier(line)] = nil
  }

  /// Gives everyone a second's worth of messages.
  func tick() {
    for id in Array(participants.keys) { participants[id]?.messages = 0 }
  }

  func drain() {
    for participant in Array(participants.values) { participant.line.close(.goingAway) }
  }

  /// Takes what a participant said and passes it on, or ends its part.
  func say(_ bytes: [UInt8], by line: any ChatLine) {
    let id = ObjectIdentifier(line)
    guard var speaker = participants[id] else { return }
    speaker.messages += 1
    guard speaker.messages <= Self.messagesPerTick else { return line.close(.tryAgainLater) }
    do throws(ChatMessage.Refusal) {
      let message = try ChatMessage(String(decoding: bytes, as: UTF8.self))
      guard isLetIn(message, isFirst: !speaker.hasSpoken) else {
        return line.close(.policyViolation)
      }
      speaker.hasSpoken = true
      participants[id] = speaker
      broadcast(message.sent)
    } catch {
      line.close(.policyViolation)
    }
  }

  /// The secret stands in the first message, where there is one, and in no other.
  private func isLetIn(_ message: ChatMessage, isFirst: Bool) -> Bool {
    guard isFirst else { return message.secret == nil }
    guard let secret else { return true }
    // Digests have one length, so comparing them takes the same time always.
    return zip(Self.digest(message.secret ?? ""), secret).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
      == 0
  }

  private func broadcast(_ text: String) {
    let bytes = Array(text.utf8)
    for (id, participant) in participants {
      guard participant.line.takesMore else {
        participants[id]?.misses += 1
        if participant.misses >= Self.missesAllowed { participant.line.close(.tryAgainLater) }
        continue
      }
      participants[id]?.misses = 0
      participant.line.tell(bytes)
    }
  }

  private static func digest(_ text: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(text.utf8)))
  }
}

/// A participant's connection.
protocol ChatLine: AnyObject {
  var takesMore: Bool { get }
  func tell(_ text: [UInt8])
  func close(_ code: CloseCode)
}

/// A participant over a WebSocket of RFC 6455.
final class ChatGuest: WebSocketGuest, ChatLine {
  private let conversation: WebSocketConversation
  private let room: ChatRoom

  init(_ conversation: WebSocketConversation, room: ChatRoom) {
    self.conversation = conversation
    self.room = room
    room.enter(self)
  }

  func take(_ item: WebSocketReader.Item) {
    switch item {
    case .text(let text): room.say(text, by: self)
    case .binary: conversation.close(.unacceptableData)
    case .violation(let code): conversation.close(code)
    case .ping, .pong, .part, .close: break
    }
  }

  func becameWritable() {}
  func ended() { room.leave(self) }

  var takesMore: Bool { conversation.isWritable }
  func tell(_ text: [UInt8]) { conversation.write(.text, text) }

  func close(_ code: CloseCode) {
    room.leave(self)
    conversation.close(code)
  }
}
