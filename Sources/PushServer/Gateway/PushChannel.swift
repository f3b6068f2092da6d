import Crypto
import Foundation
import Wire

/// What a device registers with `POST /v1/channels`: where it can be reached while it sleeps.
///
/// For Web Push the object a browser's or UnifiedPush's `PushSubscription` gives as JSON, with
/// `kind` added.
struct ChannelRegistration: Hashable, Sendable, Codable {
  /// The road to the device; the name stands in the API and in the operator's list.
  enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case webPush, apns, fcm, wns
  }

  struct Keys: Hashable, Sendable, Codable {
    /// The receiver's P-256 public key, uncompressed, in base64url (RFC 8291, section 2).
    let p256dh: String
    /// The receiver's 16 secret bytes, in base64url (RFC 8291, section 3.2).
    let auth: String
  }

  let kind: Kind
  /// Web Push: the subscription's endpoint. WNS: the channel URI.
  var endpoint: String?
  var keys: Keys?
  /// APNs: the device token in hexadecimal digits. FCM: the registration token.
  var token: String?

  /// 4 KiB: FCM's tokens are the longest, some hundred bytes so far, without a promise.
  static let tokenBytes = 4096

  /// What is wrong with it, for the device's log; nil when nothing is. Whether the endpoint may be
  /// asked is the ``EndpointGuard``'s to say.
  var fault: String? {
    switch kind {
    case .webPush:
      guard endpoint != nil else { return "A Web Push channel has an endpoint." }
      return receiver == nil ? "A Web Push channel has the keys p256dh and auth." : nil
    case .wns: return endpoint == nil ? "A WNS channel has an endpoint: its URI." : nil
    case .apns:
      let isToken = token.map { Hex.decode($0) != nil && (64...200).contains($0.utf8.count) }
      return isToken == true ? nil : "An APNs channel has a token of hexadecimal digits."
    case .fcm:
      let isToken = token.map { token in
        !token.isEmpty && token.utf8.count <= Self.tokenBytes
          && token.utf8.allSatisfy { (0x21...0x7e).contains($0) }
      }
      return isToken == true ? nil : "An FCM channel has a registration token."
    }
  }

  /// The keys of a Web Push subscription, decoded.
  var receiver: WebPushCipher.Receiver? {
    guard let keys, let key = Base64URL.decode(keys.p256dh.unpadded),
      let secret = Base64URL.decode(keys.auth.unpadded)
    else { return nil }
    return WebPushCipher.Receiver(key: key, secret: secret)
  }

  /// The same for the same place, whoever registers it.
  var place: [UInt8] {
    let text = "\(kind.rawValue) \(endpoint ?? token ?? "")"
    return Array(SHA256.hash(data: Array(text.utf8)))
  }
}

extension String {
  /// Without the `=` some encoders leave at the end.
  fileprivate var unpadded: Substring {
    var rest = self[...]
    while rest.last == "=" { rest.removeLast() }
    return rest
  }
}

/// A registered channel.
struct PushChannel: Hashable, Sendable {
  /// 32 random hexadecimal digits: all that a gateway, a log or a list names it by.
  let id: String
  let account: AccountID
  let device: DeviceID
  let registration: ChannelRegistration
  /// Whether the device has shown that what goes there arrives.
  let isConfirmed: Bool
  /// What it must send back for that.
  let challenge: String
  /// When the device registered it last; milliseconds since 1970.
  let registeredAt: Int64
}

/// What became of a message that was given to a gateway.
enum GatewayOutcome: Hashable, Sendable {
  case delivered
  /// Nothing is wrong with the channel. `after` is what the vendor asks for, if it says.
  case retry(after: Duration?, reason: String)
  /// The vendor says that nothing will ever arrive there.
  case forget(reason: String)
  /// This message will not be taken however often it is sent.
  case refused(reason: String)

  /// For logs, lists and counts; never what a foreign server wrote.
  var reason: String {
    switch self {
    case .delivered: "delivered"
    case .retry(_, let reason), .forget(let reason), .refused(let reason): reason
    }
  }

  var name: String {
    switch self {
    case .delivered: "delivered"
    case .retry: "retry"
    case .forget: "forget"
    case .refused: "refused"
    }
  }
}

/// All that ever goes to a third party: that there is something to fetch, or a challenge.
struct GatewayMessage: Hashable, Sendable {
  let channel: PushChannel
  /// Milliseconds since 1970.
  let now: Int64

  /// A day: a newer signal or the next connection makes an older one worthless.
  static let life = Duration.seconds(86_400)

  /// `wake` or `challenge`, with the channel's own id, which means nothing to anybody else.
  var fields: [(name: String, value: String)] {
    channel.isConfirmed
      ? [("wake", channel.id)]
      : [("challenge", channel.challenge), ("channel", channel.id)]
  }

  /// The fields as a JSON object.
  var json: String {
    "{" + fields.map { #""\#($0.name)":"\#($0.value)""# }.joined(separator: ",") + "}"
  }
}

/// One road to sleeping devices.
protocol Gateway: Sendable {
  /// The least time between two messages of a channel: what the vendor's rate allows.
  var interval: Duration { get }

  /// What is wrong with the registration here; nil when nothing is.
  func fault(in registration: ChannelRegistration) -> String?

  func send(_ message: GatewayMessage) async -> GatewayOutcome
}
