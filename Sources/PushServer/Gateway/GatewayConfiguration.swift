import Crypto
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

  /// The SQLite file of channels and of what waits; nil keeps them in memory.
  public var path: String?
  public var webPush: WebPush?
  /// PEM certificates believed beside the system's.
  public var trustRoots: [String]
  /// For tests and closed networks alone: whether loopback and private addresses are asked too.
  public var allowsPrivateAddresses: Bool

  public init(
    path: String?, webPush: WebPush? = nil, trustRoots: [String] = [],
    allowsPrivateAddresses: Bool = false
  ) {
    self.path = path
    self.webPush = webPush
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
