import Foundation
import Logging
import NIOCore
import Wire

/// What is done about the messages of Bayeux clients, by whatever way they came.
///
/// The server offers one channel to listen to, ``/Wire/Route/bayeuxSignals``, and one to speak to,
/// ``/Wire/Route/bayeuxAcknowledgements``. A handshake carries what a `hello` does, in
/// `ext.higgins`.
struct BayeuxDesk {
  /// Messages of one request or one WebSocket message.
  static let batchLimit = 8
  static let connectionTypes = ["websocket", "long-polling"]
  private static let shakeHands = BayeuxReply.Advice(reconnect: .handshake)

  let node: PushNode

  func take(_ body: [UInt8], by way: any BayeuxWay) {
    let messages: [BayeuxMessage]
    do {
      messages = try Self.read(body)
    } catch {
      return way.refuse()
    }
    guard let first = messages.first, messages.count <= Self.batchLimit else {
      return way.refuse()
    }
    if messages.count == 1, let carrier = carrier(of: first) {
      if first.channel == "/meta/connect" { return carrier.connect(first, by: way) }
    } else if messages.count == 1, first.channel == "/meta/handshake" {
      return shakeHands(first, by: way)
    }
    node.answer(messages.map { reply(to: $0, by: way) }, by: way)
  }

  private static func read(_ body: [UInt8]) throws -> [BayeuxMessage] {
    let bytes = Data(body)
    if body.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) == 0x5b {
      return try JSONDecoder().decode([BayeuxMessage].self, from: bytes)
    }
    return [try JSONDecoder().decode(BayeuxMessage.self, from: bytes)]
  }

  private func carrier(of message: BayeuxMessage) -> BayeuxCarrier? {
    message.clientId.flatMap(node.bayeux(named:))
  }

  private func shakeHands(_ message: BayeuxMessage, by way: any BayeuxWay) {
    let none = BayeuxReply.Advice(reconnect: .none)
    let refusal: String?
    if message.version?.hasPrefix("1.") != true {
      refusal = "400:\(Self.argument(message.version)):Bayeux 1.0 is spoken here"
    } else if !(message.supportedConnectionTypes ?? []).contains(where: {
      Self.connectionTypes.contains($0)
    }) {
      refusal = "400::no connection type in common"
    } else if message.ext?.higgins == nil {
      refusal = "401::a push token and a frontier must stand in ext.higgins"
    } else {
      refusal = nil
    }
    if let refusal {
      return node.answer([BayeuxReply(refusing: message, refusal, advice: none)], by: way)
    }
    BayeuxCarrier(node: node).shakeHands(message, by: way)
  }

  private func reply(to message: BayeuxMessage, by way: any BayeuxWay) -> BayeuxReply {
    guard message.channel != "/meta/handshake" else {
      return BayeuxReply(refusing: message, "400::a handshake stands alone")
    }
    guard let carrier = carrier(of: message) else {
      let id = Self.argument(message.clientId)
      return BayeuxReply(refusing: message, "402:\(id):unknown client", advice: Self.shakeHands)
    }
    return carrier.reply(to: message)
  }

  /// What a client sent, as it may stand between the colons of an error.
  static func argument(_ text: String?) -> String {
    let fits: (Character) -> Bool = {
      $0.isASCII && ($0.isLetter || "/*_-.0123456789".contains($0))
    }
    return String((text ?? "").prefix(64).filter(fits))
  }
}

extension PushNode {
  /// Writes the messages as one list.
  func answer(_ replies: [BayeuxReply], by way: any BayeuxWay) {
    loop.preconditionInEventLoop()
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      way.answer(Array(try encoder.encode(replies)))
    } catch {
      configuration.logger.error("A Bayeux message could not be written")
      way.refuse()
    }
  }
}
