import Crypto
import Foundation
import JWTKit
import NIOSSL

/// The roads to sleeping devices that an operator has opened.
public struct GatewayConfiguration: Sendable {
  public struct WebPush: Hashable, Sendable {
    /// `mailto:` or `https:`, where a push service finds who runs this server (RFC 8292).
    public var subject: String
    /// Hosts beside the browsers' push services, such as a UnifiedPush distributor's.
    public var hosts: [String]

    public init(subject: String, hosts: [String] = []) {
      self.subject = subject
      self.hosts = hosts
    }
  }

  public struct APNs: Hashable, Sendable {
    /// The team's signing key, PEM, as Apple gives it (`.p8`).
    public var key: String
    public var keyID: String
    public var teamID: String
    /// The app's bundle id.
    public var topic: String
    /// `https://api.sandbox.push.apple.com` for apps under development.
    public var url: String

    public init(
      key: String, keyID: String, teamID: String, topic: String,
      url: String = "https://api.push.apple.com"
    ) {
      self.key = key
      self.keyID = keyID
      self.teamID = teamID
      self.topic = topic
      self.url = url
    }
  }

  public struct FCM: Hashable, Sendable {
    /// The JSON Google gives for a service account.
    public var serviceAccount: String
    public var url: String

    public init(serviceAccount: String, url: String = "https://fcm.googleapis.com") {
      self.serviceAccount = serviceAccount
      self.url = url
    }
  }

  public struct WNS: Hashable, Sendable {
    public var tenantID: String
    public var clientID: String
    public var secret: String
    public var loginURL: String
    /// Hosts channel URIs may lead to beside Microsoft's; for tests.
    public var hosts: [String]

    public init(
      tenantID: String, clientID: String, secret: String,
      loginURL: String = "https://login.microsoftonline.com", hosts: [String] = []
    ) {
      self.tenantID = tenantID
      self.clientID = clientID
      self.secret = secret
      self.loginURL = loginURL
      self.hosts = hosts
    }
  }

  /// The SQLite file of channels and of what waits; nil keeps them in memory.
  public var path: String?
  public var webPush: WebPush?
  public var apns: APNs?
  public var fcm: FCM?
  public var wns: WNS?
  /// PEM certificates believed beside the system's.
  public var trustRoots: [String]
  /// For tests and closed networks alone: whether loopback and private addresses are asked too.
  public var allowsPrivateAddresses: Bool

  public init(
    path: String?, webPush: WebPush? = nil, apns: APNs? = nil, fcm: FCM? = nil,
    wns: WNS? = nil, trustRoots: [String] = [],
    allowsPrivateAddresses: Bool = false
  ) {
    self.path = path
    self.webPush = webPush
    self.apns = apns
    self.fcm = fcm
    self.wns = wns
    self.trustRoots = trustRoots
    self.allowsPrivateAddresses = allowsPrivateAddresses
  }
}

/// The gateways at work: the queue, its task, and the connections it sends through.
struct Gateways: Sendable {
  let queue: GatewayQueue
  /// What devices subscribe to Web Push with.
  let webPushKey: String?
  private let egress: Egress
  private let work: Task<Void, Never>

  /// Opens the file and begins to send what waits in it.
  init(_ gateways: GatewayConfiguration, _ push: PushConfiguration) throws(PushServerError) {
    let path = gateways.path ?? "memory"
    do {
      let store = try ChannelStore(path: gateways.path)
      let egress = Egress(
        trustRoots: try gateways.trustRoots.flatMap {
          try NIOSSLCertificate.fromPEMBytes(Array($0.utf8))
        })
      var roads: [ChannelRegistration.Kind: any Gateway] = [:]
      func endpoints(_ hosts: [String]) -> EndpointGuard {
        EndpointGuard(hosts: hosts, allowsPrivate: gateways.allowsPrivateAddresses)
      }
      webPushKey = try gateways.webPush.map { web in
        let seed = try store.secret("vapid") { Array(P256.Signing.PrivateKey().rawRepresentation) }
        let key = try P256.Signing.PrivateKey(rawRepresentation: seed)
        roads[.webPush] = WebPushGateway(
          egress: egress, endpoints: endpoints(WebPushGateway.vendors + web.hosts), key: key,
          subject: web.subject)
        return WebPushGateway.publicKey(of: key)
      }
      func endpoint(_ urls: String...) -> EndpointGuard {
        endpoints(urls.compactMap { URLComponents(string: $0)?.host })
      }
      roads[.apns] = try gateways.apns.map {
        APNsGateway(
          egress: egress, endpoints: endpoint($0.url), settings: $0,
          key: try ES256PrivateKey(pem: $0.key))
      }
      roads[.fcm] = try gateways.fcm.map {
        let account = try JSONDecoder().decode(
          FCMGateway.ServiceAccount.self, from: Data($0.serviceAccount.utf8))
        return FCMGateway(
          egress: egress, endpoints: endpoint($0.url, account.tokenURI), settings: $0,
          account: account, key: try Insecure.RSA.PrivateKey(pem: account.privateKey))
      }
      roads[.wns] = gateways.wns.map {
        WNSGateway(
          egress: egress, endpoints: endpoints(WNSGateway.vendors + $0.hosts),
          login: endpoint($0.loginURL), settings: $0)
      }
      let queue = GatewayQueue(
        store: store, gateways: roads, metrics: GatewayMetrics(push.metrics), now: push.now,
        logger: push.logger)
      self.egress = egress
      self.queue = queue
      work = Task { await queue.run() }
    } catch {
      throw .cannotOpenChannels(path: path, reason: "\(error)")
    }
  }

  /// Stops after what is being sent; what waits stays in the file.
  func stop() async {
    work.cancel()
    await work.value
    await egress.shutdown()
  }
}
