import Wire

/// One message of a Bayeux client (Bayeux 1.0, section 3). Fields that this server has no use for
/// are passed over, as the specification wants.
struct BayeuxMessage: Decodable {
  /// What a client may do with its token: CometD's place for what the protocol does not name.
  struct Extension: Decodable {
    struct Hello: Decodable {
      let token: String
      let frontier: Digest32
    }

    /// A push token and the digest of what the device holds.
    let higgins: Hello?
    /// CometD's acknowledged messages: whether they are wanted, or the last batch that came.
    let acknowledged: Acknowledged?

    private enum CodingKeys: String, CodingKey {
      case higgins
      case acknowledged = "ack"
    }
  }

  enum Acknowledged: Decodable {
    case wanted(Bool)
    case batch(Int)

    init(from decoder: any Decoder) throws {
      let box = try decoder.singleValueContainer()
      do {
        self = .batch(try box.decode(Int.self))
      } catch {
        self = .wanted(try box.decode(Bool.self))
      }
    }
  }

  struct Advice: Decodable {
    let timeout: Int?
  }

  /// What a device says it holds.
  struct Receipt: Decodable {
    let device: DeviceID
    let sequence: UInt64
  }

  let channel: String
  let id: String?
  let clientId: String?
  let version: String?
  let supportedConnectionTypes: [String]?
  let connectionType: String?
  let subscription: BayeuxSubscription?
  let advice: Advice?
  let data: Receipt?
  let ext: Extension?
}

/// One channel or several; the answer has the shape of the question.
enum BayeuxSubscription: Codable, Hashable {
  case one(String)
  case many([String])

  var channels: [String] {
    switch self {
    case .one(let channel): [channel]
    case .many(let channels): channels
    }
  }

  init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    do {
      self = .many(try box.decode([String].self))
    } catch {
      self = .one(try box.decode(String.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .one(let channel): try box.encode(channel)
    case .many(let channels): try box.encode(channels)
    }
  }
}

/// One message to a Bayeux client: an answer, or a signal.
struct BayeuxReply: Encodable {
  struct Advice: Encodable {
    enum Reconnect: String, Encodable {
      /// Connect again with the same client id.
      case retry
      /// Shake hands anew: the client id is worth nothing any more.
      case handshake
      /// Do not come back by yourself.
      case none
    }

    let reconnect: Reconnect
    /// Milliseconds to wait before the next connect.
    var interval = 0
    /// Milliseconds the server may hold a connect.
    var timeout: Int?
  }

  struct Extension: Encodable {
    enum Value {
      case offered
      case batch(Int)
    }

    let acknowledged: Value

    private enum CodingKeys: String, CodingKey {
      case acknowledged = "ack"
    }

    func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: CodingKeys.self)
      switch acknowledged {
      case .offered: try box.encode(true, forKey: .acknowledged)
      case .batch(let batch): try box.encode(batch, forKey: .acknowledged)
      }
    }
  }

  let channel: String
  var id: String?
  var clientId: String?
  var successful: Bool?
  var error: String?
  var version: String?
  var supportedConnectionTypes: [String]?
  var subscription: BayeuxSubscription?
  var advice: Advice?
  var data: PushFrame?
  var ext: Extension?

  init(channel: String) {
    self.channel = channel
  }

  /// Refuses a message; `error` is `code:arguments:text` (section 3.2 of the specification).
  init(refusing message: BayeuxMessage, _ error: String, advice: Advice? = nil) {
    channel = message.channel
    id = message.id
    clientId = message.clientId
    successful = false
    subscription = message.subscription
    self.error = error
    self.advice = advice
  }

  init(accepting message: BayeuxMessage) {
    channel = message.channel
    id = message.id
    clientId = message.clientId
    successful = true
    subscription = message.subscription
  }
}
